"""What partners were told is forgotten with the customer, and in time; what is still to be sent goes without a name."""

import json

import pytest
from django.utils import timezone

from integrations.models import WebhookAttempt, WebhookDelivery, WebhookLane
from integrations.retention import erasing, pruning
from tests.retention.conftest import IDENTIFIER, Known, settle
from tests.retention.helpers import erase, everything_old, where

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_erased_customer_is_in_no_delivery_sent_or_to_be_sent(known: Known) -> None:
    assert [line for line in where(IDENTIFIER) if line.startswith("integrations_webhookdelivery")]
    assert [line for line in where(IDENTIFIER) if line.startswith("integrations_webhookattempt")]
    erase(known.customer)
    for _ in range(3):
        erasing.advance_all()
        settle()
    assert where(IDENTIFIER) == []
    theirs = WebhookDelivery.objects.filter(coupon=known.redeemed)
    assert {json.loads(row.payload)["data"]["identifier"] for row in theirs} == {None}
    others = WebhookDelivery.objects.filter(coupon=known.of_another)
    assert {json.loads(row.payload)["data"]["identifier"] for row in others} == {known.of_another.customer.identifier}


def test_settled_deliveries_go_with_their_calls_and_queued_ones_stay(known: Known) -> None:
    queued = WebhookDelivery.objects.filter(state="queued").count()
    everything_old()
    assert pruning.prune()["webhook deliveries"] == 1
    assert (WebhookDelivery.objects.count(), WebhookAttempt.objects.count()) == (queued, 0)


def test_what_waits_for_an_address_that_is_off_goes_too(known: Known) -> None:
    WebhookLane.objects.create(endpoint=WebhookDelivery.objects.all()[0].endpoint, off_at=timezone.now())
    everything_old()
    pruning.prune()
    assert not WebhookDelivery.objects.exists()
