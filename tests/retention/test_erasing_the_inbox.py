"""A customer is erased: what dfire told that fits no coupon, and what staff wrote about it, name them no more."""

import pytest

from coupons.models import IssuedCoupon
from integrations import inbox as box
from integrations.models import DfireCallback
from integrations.models.inbox import Decision
from integrations.retention import erasing
from merchants.models import Customer
from tests.factories import DfireAccountFactory
from tests.hooks.helpers import callback, tell
from tests.outbox.helpers import drain_through
from tests.retention.conftest import MOBILE, OPENID, Known
from tests.retention.helpers import erase, where

pytestmark = pytest.mark.django_db(transaction=True)


def erased(customer: Customer) -> None:
    """The erasure, taken to its end."""
    erase(customer)
    drain_through()
    assert erasing.advance_all() == 1


def test_a_callback_of_another_account_stays_open_without_the_name(known: Known) -> None:
    stranger = DfireAccountFactory()
    tell(callback(stranger, known.of_another.code, openid=OPENID))
    erased(known.customer)
    claim = DfireCallback.objects.get(account=stranger)
    assert (claim.state, claim.parameters["openid"]) == ("other_account", "***")
    assert claim.parameters["thirdDeliverCode"] == known.of_another.code


def test_what_staff_noted_about_a_code_that_is_not_known_stays_without_the_name(known: Known) -> None:
    unknown = DfireCallback.objects.get(state="unknown_coupon")
    assert box.settle_by_hand(unknown, decision=Decision.ASKED, note=f"门店说是 {MOBILE}", actor="staff:lili")
    erased(known.customer)
    unknown.refresh_from_db()
    assert unknown.note.startswith("门店说是")
    assert not where(MOBILE)


def test_what_staff_noted_about_a_coupon_goes_with_the_coupons_contents(known: Known) -> None:
    unknown = DfireCallback.objects.get(state="unknown_coupon")
    assert box.apply_by_hand(unknown, known.pushed, note=f"顾客 {MOBILE}", actor="staff:lili")
    erased(known.customer)
    unknown.refresh_from_db()
    assert (unknown.note, unknown.decision, unknown.decided_by) == ("", "applied", "staff:lili")
    assert not where(MOBILE)


def test_a_callback_that_staff_apply_to_an_erased_customers_coupon_names_nobody(known: Known) -> None:
    erased(known.customer)
    tell(callback(known.account, "9999888877775555", openid=OPENID))
    late = DfireCallback.objects.get(code="9999888877775555")
    assert box.apply_by_hand(late, IssuedCoupon.objects.get(pk=known.pushed.pk), note="x", actor="staff:lili")
    assert not where(OPENID)
