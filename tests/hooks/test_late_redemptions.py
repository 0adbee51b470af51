"""A till that redeems a revoked or expired coupon has given the discount: it counts, and is listed for staff once."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, EventKind
from coupons.models import IssuedCoupon
from integrations import inbox as box
from integrations.inbox import Suggestion
from integrations.models import DfireCallback
from integrations.models.inbox import Decision
from merchants.models import DfireAccount, Merchant
from tests.factories import issued, published
from tests.hooks.helpers import callback, inbox, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def coupon(merchant: Merchant) -> IssuedCoupon:
    """A coupon that is out."""
    return issued(published(merchant=merchant))


def revoke(coupon: IssuedCoupon) -> None:
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="x", actor="staff:test")


def expire(coupon: IssuedCoupon) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=yesterday, valid_until=yesterday)
    assert lifecycle.expire_due() == 1


def withdrawn_at_dfire(coupon: IssuedCoupon) -> None:
    """The withdrawal has reached dfire."""
    lifecycle.note(coupon, EventKind.WITHDRAWN, "dfire")


def redeem_by_list(coupon: IssuedCoupon) -> None:
    """Not told by a callback: dfire's list of the customer's coupons shows it as used."""
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now(), details={"seen_in_list": True})


@pytest.mark.parametrize(("end", "problem"), [(revoke, "after_revoke"), (expire, "after_expiry")])
def test_it_is_redeemed_and_listed_with_a_suggestion(
    tills: DfireAccount, coupon: IssuedCoupon, end: object, problem: str
) -> None:
    end(coupon)  # type: ignore[operator]
    tell(callback(tills, coupon.code))
    coupon.refresh_from_db()
    entry = DfireCallback.objects.get()
    assert (coupon.status, bool(coupon.flag)) == (CouponStatus.REDEEMED, True)
    assert (entry.state, entry.problem, entry.suggestion) == ("review", problem, Suggestion.ACCEPT)
    assert (entry.coupon, entry.merchant, entry.settled_at) == (coupon, coupon.merchant, None)


def test_what_had_been_withdrawn_at_dfire_is_to_be_taken_up_with_the_shop(
    tills: DfireAccount, coupon: IssuedCoupon
) -> None:
    revoke(coupon)
    withdrawn_at_dfire(coupon)
    tell(callback(tills, coupon.code))
    assert DfireCallback.objects.get().suggestion == Suggestion.ASK_SHOP


def test_a_withdrawal_after_the_redemption_is_no_reproach(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    revoke(coupon)
    withdrawn_at_dfire(coupon)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    tell(callback(tills, coupon.code, timestamp=str(int(an_hour_ago.timestamp() * 1000))))
    assert DfireCallback.objects.get().suggestion == Suggestion.ACCEPT


def test_a_redemption_in_time_that_is_told_late_is_not_listed(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    """The coupon ended after the till had redeemed it; only the telling came late."""
    now = timezone.now()
    yesterday, hour_ago = now - timedelta(days=1), now - timedelta(hours=1)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=yesterday, valid_until=hour_ago)
    told = str(int((now - timedelta(hours=2)).timestamp() * 1000))
    tell(callback(tills, coupon.code, timestamp=told))
    assert inbox() == [(coupon.code, "applied", 0)]


def test_the_same_told_again_is_not_listed_again(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    revoke(coupon)
    tell(callback(tills, coupon.code))
    tell(callback(tills, coupon.code, entityId="1"))
    assert sorted(state for _, state, _ in inbox()) == ["repeated", "review"]


def test_one_that_only_dfires_list_shows_is_listed_too(coupon: IssuedCoupon, tills: DfireAccount) -> None:
    revoke(coupon)
    redeem_by_list(coupon)
    entry = DfireCallback.objects.get()
    assert (entry.state, entry.problem, entry.parameters) == ("review", "after_revoke", {})
    assert (entry.coupon, entry.merchant, entry.account) == (coupon, coupon.merchant, tills)
    tell(callback(tills, coupon.code))  # its callback comes after all
    assert sorted(state for _, state, _ in inbox()) == ["repeated", "review"]


def test_one_redeemed_in_time_that_only_dfires_list_shows_is_not_listed(coupon: IssuedCoupon) -> None:
    redeem_by_list(coupon)
    assert inbox() == []


def test_it_stays_listed_until_staff_decide_and_is_not_tried_again(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    revoke(coupon)
    tell(callback(tills, coupon.code))
    assert box.retry_open() == 0
    entry = DfireCallback.objects.get()
    assert box.settle_by_hand(entry, decision=Decision.ACCEPTED, note="已享用", actor="staff:lili")
    entry.refresh_from_db()
    assert (entry.state, entry.problem, entry.decision) == ("settled", "after_revoke", "accepted")
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED
