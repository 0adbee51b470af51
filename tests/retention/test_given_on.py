"""A coupon has changed hands: erasing one of the two takes out that one's names and leaves the other's coupon alone."""

import pytest
from django.db import transaction

from coupons import erasing as coupons_erasing
from coupons import lifecycle
from coupons.errors import Reason, Refused
from coupons.models import IssuedCoupon
from integrations.retention import erasing
from merchants import customers
from merchants.models import Customer
from tests.factories import CustomerFactory
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through
from tests.retention.conftest import NAMES, OPENID, Known
from tests.retention.helpers import where

pytestmark = pytest.mark.django_db(transaction=True)

RECEIVER = "o-receiver-000042"


def give_on(coupon: IssuedCoupon, to: Customer) -> None:
    with transaction.atomic():
        lifecycle.transfer(lifecycle.lock([coupon.pk])[0], to, actor="staff:lili")


@pytest.fixture
def receiver(known: Known) -> Customer:
    made: Customer = CustomerFactory(merchant=known.template.merchant, openid=RECEIVER)
    return made


def test_the_giver_is_forgotten_and_the_receiver_keeps_the_coupon(
    known: Known, receiver: Customer, dfire: Dfire
) -> None:
    give_on(known.pushed, receiver)
    drain_through()
    coupons_erasing.erase(known.customer, reason="r", asked_by="staff:lili")
    assert erasing.advance_all() == 1
    assert {name: where(name) for name in NAMES} == {name: [] for name in NAMES}
    coupon = IssuedCoupon.objects.get(pk=known.pushed.pk)
    assert (coupon.customer, coupon.status, coupon.delivered_openid) == (receiver, "issued", RECEIVER)
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert held["openid"] == RECEIVER


def test_the_receiver_is_forgotten_and_the_givers_other_coupons_stay(known: Known, receiver: Customer) -> None:
    identifier = receiver.identifier
    give_on(known.pushed, receiver)
    drain_through()
    coupons_erasing.erase(receiver, reason="r", asked_by="staff:lili")
    drain_through()
    assert erasing.advance_all() == 1
    assert not where(RECEIVER)
    assert not where(identifier)
    assert IssuedCoupon.objects.get(pk=known.pushed.pk).status == "revoked"
    assert Customer.objects.get(pk=known.customer.pk).openid == OPENID
    assert IssuedCoupon.objects.get(pk=known.redeemed.pk).delivered_openid == OPENID


def test_it_waits_as_long_as_dfire_holds_the_coupon_under_the_givers_openid(known: Known) -> None:
    receiver = CustomerFactory(merchant=known.template.merchant, openid="")
    give_on(known.pushed, receiver)
    drain_through()
    erasure, _ = coupons_erasing.erase(known.customer, reason="r", asked_by="staff:lili")
    assert not erasing.advance(erasure)
    assert erasing.progress(erasure).given_on == 1
    customers.bind(receiver, openid=RECEIVER)
    drain_through()
    assert erasing.advance(erasure)
    assert not where(OPENID)
    assert IssuedCoupon.objects.get(pk=known.pushed.pk).delivered_openid == RECEIVER


def test_a_coupon_that_went_back_to_an_erased_giver_is_revoked(known: Known, receiver: Customer) -> None:
    """dfire refuses the receiver while the giver is being erased."""
    give_on(known.pushed, receiver)
    erasure, _ = coupons_erasing.erase(known.customer, reason="r", asked_by="staff:lili")
    with transaction.atomic():
        coupon = lifecycle.lock([known.pushed.pk])[0]
        lifecycle.undo_transfer(coupon, known.customer, flag="transfer_refused")
    erasing.advance(erasure)
    assert IssuedCoupon.objects.get(pk=known.pushed.pk).status == "revoked"
    drain_through()
    assert erasing.advance_all() == 1
    assert not where(OPENID)


def test_nothing_is_given_to_one_who_has_been_erased(known: Known, receiver: Customer) -> None:
    coupons_erasing.erase(receiver, reason="r", asked_by="staff:lili")
    with pytest.raises(Refused) as refusal:
        give_on(known.pushed, receiver)
    assert refusal.value.reason is Reason.CUSTOMER_ERASED


def test_a_transfer_that_failed_is_told_in_history_without_either_name(known: Known, receiver: Customer) -> None:
    with transaction.atomic():
        coupon = lifecycle.lock([known.pushed.pk])[0]
        lifecycle.transfer(coupon, receiver, actor="staff:lili")
        said = {"code": "005", "message": f"{RECEIVER} has no card, {OPENID} has"}
        lifecycle.undo_transfer(coupon, known.customer, flag="transfer_refused", details=said)
    event = coupon.events.latest("id")
    assert event.data["message"] == "*** has no card, *** has"
    assert (event.data["from"], event.data["to"]) == (receiver.pk, known.customer.pk)
