"""dfire's redemption callback (seed 003 §9): signed over the raw values, applied once, the first one stays."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery, EventKind, Source
from coupons.models import IssuedCoupon
from integrations.dfire.signing import sign
from integrations.models import DfireCallback, OutboxRow
from integrations.models.outbox import RowState
from merchants.models import DfireAccount, Merchant
from tests.factories import ShopFactory, issued, published
from tests.hooks.helpers import ABSENT, callback, inbox, tell

pytestmark = pytest.mark.django_db

DONE = {"success": True, "resultCode": "000", "message": "操作成功!"}


@pytest.fixture
def coupon(merchant: Merchant) -> IssuedCoupon:
    """A coupon that is out."""
    return issued(published(merchant=merchant))


def ok(response: Any) -> None:
    """The contract's answer to what is durably recorded."""
    assert (response.status_code, response.json()) == (200, DONE)


def test_a_redemption_at_the_till_redeems(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    told = int(time.time() * 1000) - 3_600_123
    ok(tell(callback(tills, coupon.code, timestamp=str(told))))
    coupon.refresh_from_db()
    assert (coupon.status, coupon.redeemed_through, coupon.flag) == (CouponStatus.REDEEMED, Source.TILL, "")
    assert coupon.redeemed_at == datetime.fromtimestamp(told / 1000, UTC)
    assert inbox() == [(coupon.code, "applied", 0)]


def test_a_clock_ahead_does_not_redeem_in_the_future(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    ok(tell(callback(tills, coupon.code, timestamp=str(int(time.time() * 1000) + 500_000))))
    coupon.refresh_from_db()
    assert coupon.redeemed_at <= timezone.now()


@pytest.mark.parametrize("method", ["dfire.shop.promotion.change.push", "dfire.shop.verify.promotion"])
@pytest.mark.parametrize("around", ["{}", "\n {}", " {} ", "\r\n\t{}\n"])
def test_both_names_and_blanks_around_the_code_are_taken(
    tills: DfireAccount, coupon: IssuedCoupon, method: str, around: str
) -> None:
    ok(tell(callback(tills, around.format(coupon.code), method=method)))
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED


def test_a_field_may_come_twice_if_it_says_the_same(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    body = urlencode(callback(tills, coupon.code)) + "&plateEntityId=99927571"
    ok(tell(body.encode()))
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED


@pytest.mark.parametrize(
    "change",
    [
        {"openid": "", "brandEntityId": "", "plateEntityId": "", "promotionId": ""},
        {"brandEntityId": ABSENT, "plateEntityId": ABSENT, "openid": ABSENT},
        {"something": "new " * 1000, "空": "值"},
        {"promotionId": "00084611eDearhM2QAL9dJkkivhGBz", "v": "2.0"},
        {"openid": "a+b&c=d%20é\U0001f389"},
    ],
)
def test_what_is_not_needed_does_not_stop_a_redemption(
    tills: DfireAccount, coupon: IssuedCoupon, change: dict[str, Any]
) -> None:
    ok(tell(callback(tills, coupon.code, **change)))
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED


def test_the_shop_is_the_one_of_its_entity(tills: DfireAccount, coupon: IssuedCoupon, merchant: Merchant) -> None:
    shop = ShopFactory(merchant=merchant, entity_id="00026863")
    ok(tell(callback(tills, coupon.code, entityId="00026863")))
    coupon.refresh_from_db()
    assert coupon.redeemed_shop == shop


def test_everything_but_the_signature_is_kept_as_received(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    form = callback(tills, f"\n {coupon.code}", openid=" o3Pm ")
    ok(tell(form))
    kept = DfireCallback.objects.get()
    assert kept.parameters == {name: value for name, value in form.items() if name != "sign"}
    assert (kept.code, kept.entity_id, kept.promotion_id) == (coupon.code, "99927548", "1001")
    assert sign(kept.parameters, tills.app_secret) == form["sign"], "what is kept proves who sent it"


def test_the_same_callback_again_changes_nothing(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    form = callback(tills, coupon.code)
    for _ in range(3):
        ok(tell(form))
    assert inbox() == [(coupon.code, "applied", 2)]
    assert coupon.events.filter(kind=EventKind.REDEEMED).count() == 1


def test_the_first_of_two_redemptions_stays(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    now = int(time.time() * 1000)
    ok(tell(callback(tills, coupon.code, timestamp=str(now))))
    coupon.refresh_from_db()
    first = coupon.redeemed_at
    for other in ({"timestamp": str(now - 60_000)}, {"entityId": "1", "timestamp": str(now - 1)}):
        ok(tell(callback(tills, coupon.code, **other)))
    coupon.refresh_from_db()
    assert (coupon.status, coupon.redeemed_at) == (CouponStatus.REDEEMED, first)
    assert [state for _, state, _ in inbox()] == ["applied", "repeated", "repeated"]


def test_a_redemption_proves_the_delivery(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    ok(tell(callback(tills, coupon.code)))
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED
    assert OutboxRow.objects.get(coupon=coupon).state == RowState.CANCELLED


def test_a_revoked_coupon_becomes_redeemed_and_is_flagged(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="x", actor="staff:test")
    ok(tell(callback(tills, coupon.code)))
    coupon.refresh_from_db()
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_when_revoked")
    coupon.template.refresh_from_db()
    assert coupon.template.issued_count == 1


def test_an_expired_coupon_becomes_redeemed_and_is_flagged(tills: DfireAccount, coupon: IssuedCoupon) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=yesterday, valid_until=yesterday)
    assert lifecycle.expire_due() == 1
    ok(tell(callback(tills, coupon.code)))
    coupon.refresh_from_db()
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_when_expired")
    assert coupon.events.filter(kind=EventKind.FLAGGED).count() == 1
