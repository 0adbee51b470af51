"""A redemption that fits no coupon is kept and tried again until it does; nothing is dropped."""

from typing import Any

import pytest
from django.db.models import F

from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from integrations import inbox as box
from integrations.models import DfireCallback
from integrations.models.inbox import Decision
from merchants.models import DfireAccount, Merchant
from tests.factories import DfireAccountFactory, issued, published
from tests.hooks.helpers import callback, inbox, tell

pytestmark = pytest.mark.django_db
CODE = "9170616980313735"


def appear(code: str, merchant: Merchant) -> IssuedCoupon:
    """A coupon with this code comes into being, as after a restore or an import."""
    coupon = issued(published(merchant=merchant))
    IssuedCoupon.objects.filter(pk=coupon.pk).update(code=code)
    coupon.refresh_from_db()
    return coupon


def test_a_code_that_is_not_known_is_answered_and_kept(tills: DfireAccount) -> None:
    assert tell(callback(tills, f"\n {CODE}")).json()["resultCode"] == "000"
    assert inbox() == [(CODE, "unknown_coupon", 0)]
    assert DfireCallback.objects.get().suggestion == box.Suggestion.WAIT


@pytest.mark.parametrize("code", ["1", "abc", "券", "x" * 64, "'; DROP TABLE coupons_issuedcoupon; --", "\U0001f389"])
def test_any_code_that_can_be_kept_is_kept(tills: DfireAccount, code: str) -> None:
    assert tell(callback(tills, code)).status_code == 200
    assert inbox() == [(code, "unknown_coupon", 0)]
    assert box.retry_open() == 0


def test_when_the_coupon_appears_the_redemption_is_applied(tills: DfireAccount, merchant: Merchant) -> None:
    form = callback(tills, CODE)
    tell(form)
    assert box.retry_open() == 0
    coupon = appear(CODE, merchant)
    assert box.retry_open() == 1
    coupon.refresh_from_db()
    kept = DfireCallback.objects.get()
    assert (coupon.status, coupon.redeemed_at) == (CouponStatus.REDEEMED, kept.sent_at)
    assert (kept.state, kept.coupon, kept.suggestion) == ("applied", coupon, "")
    assert kept.settled_at is not None
    assert box.retry_open() == 0
    assert tell(form).status_code == 200
    assert inbox() == [(CODE, "applied", 1)]


def test_of_two_that_waited_one_redeems(tills: DfireAccount, merchant: Merchant) -> None:
    for entity_id in ("1", "2"):
        tell(callback(tills, CODE, entityId=entity_id))
    appear(CODE, merchant)
    assert box.retry_open() == 2
    assert sorted(state for _, state, _ in inbox()) == ["applied", "repeated"]


def test_another_accounts_coupon_stays_as_it_is(tills: DfireAccount, merchant: Merchant) -> None:
    coupon = issued(published(merchant=merchant))
    stranger = DfireAccountFactory(app_secret="another")
    assert tell(callback(stranger, coupon.code)).status_code == 200
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.ISSUED
    assert inbox() == [(coupon.code, "other_account", 0)]
    assert DfireCallback.objects.get().suggestion == box.Suggestion.CHECK_ACCOUNT


@pytest.mark.parametrize("first", [None, "another"])
def test_when_the_merchant_moves_to_the_account_it_is_applied(merchant: Merchant, first: Any) -> None:
    merchant.dfire_account = DfireAccountFactory() if first else None
    merchant.save()
    coupon = issued(published(merchant=merchant))
    stranger = DfireAccountFactory()
    tell(callback(stranger, coupon.code))
    assert box.retry_open() == 0
    merchant.dfire_account = stranger
    merchant.save()
    assert box.retry_open() == 1
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED


def test_the_same_form_of_two_accounts_is_two_callbacks(tills: DfireAccount) -> None:
    stranger = DfireAccountFactory(app_secret=tills.app_secret)
    for account in (tills, stranger):
        tell(callback(account, CODE))
    assert len(inbox()) == 2


def test_what_staff_settled_is_not_tried_again(tills: DfireAccount, merchant: Merchant) -> None:
    tell(callback(tills, CODE))
    decided = {"decision": Decision.DISMISSED, "note": "another portal's", "actor": "staff:lili"}
    assert box.settle_by_hand(DfireCallback.objects.get(), **decided)
    coupon = appear(CODE, merchant)
    assert box.retry_open() == 0
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.ISSUED
    assert not box.settle_by_hand(DfireCallback.objects.get(), **{**decided, "actor": "staff:other"})
    assert DfireCallback.objects.get().decided_by == "staff:lili"


def test_those_that_waited_longest_are_tried_first(tills: DfireAccount) -> None:
    for n in range(3):
        tell(callback(tills, f"100{n}"))
    box.retry_open(limit=2)
    tried = list(DfireCallback.objects.order_by(F("tried_at").asc(nulls_first=True)).values_list("code", flat=True))
    assert tried[0] == "1002"
    box.retry_open(limit=1)
    assert DfireCallback.objects.order_by("tried_at").last().code == "1002"
