"""Secrets: two sign while one is replaced, and one that is none harms nobody but its own address."""

from datetime import timedelta

import pytest
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.models.webhooks import SendResult
from integrations.webhooks import driving
from integrations.webhooks.signing import replace_secret
from tests.factories import issued
from tests.webhooks.partner import Partner

pytestmark = pytest.mark.django_db(transaction=True)


def test_while_a_secret_is_replaced_both_sign(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    new = replace_secret(endpoint, keep=timedelta(hours=1), now=timezone.now())
    issued(template)
    driving.drain()
    WebhookEndpoint.objects.update(previous_until=timezone.now())
    issued(template)
    driving.drain()
    first, second = partner.received
    assert first.read(new)["type"] == first.read(partner.secret)["type"] == second.read(new)["type"]
    with pytest.raises(Exception, match="No matching signature"):
        second.read(partner.secret)


@pytest.mark.parametrize("secret", ["x", "whsec_", "whsec_é"])
def test_a_secret_that_signs_nothing_is_said_so(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, secret: str
) -> None:
    endpoint.secret = secret
    endpoint.save()
    issued(template)
    driving.drain()
    assert (WebhookDelivery.objects.get().result, partner.received) == (SendResult.SECRET, [])
