"""The life of an issued coupon, rule by rule."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery, EventKind
from coupons.errors import Reason, Refused
from coupons.lifecycle import TillOutcome
from coupons.models import CouponEvent, IssuedCoupon, TemplateVersion
from tests.factories import issued, published

pytestmark = pytest.mark.django_db


def redeem(coupon: IssuedCoupon) -> TillOutcome:
    return lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now())


def revoke(coupon: IssuedCoupon) -> None:
    lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="测试", actor="staff:test")


def kinds(coupon: IssuedCoupon) -> list[str]:
    return list(coupon.events.values_list("kind", flat=True))


def end_long_ago(coupon: IssuedCoupon) -> None:
    past = timezone.now() - timedelta(days=1)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=past, valid_until=past)


def test_a_coupon_is_redeemed_once_and_the_first_time_stays() -> None:
    coupon = issued()
    assert redeem(coupon) is TillOutcome.REDEEMED
    coupon.refresh_from_db()
    first = coupon.redeemed_at
    assert redeem(coupon) is TillOutcome.REPEATED
    coupon.refresh_from_db()
    assert coupon.redeemed_at == first
    assert kinds(coupon) == [EventKind.ISSUED, EventKind.REDEEMED]


def test_a_redemption_proves_the_delivery() -> None:
    coupon = issued()
    redeem(coupon)
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED
    assert coupon.delivered_at is not None


def test_a_till_redemption_wins_over_a_revoke_and_is_flagged() -> None:
    coupon = issued()
    revoke(coupon)
    assert redeem(coupon) is TillOutcome.REDEEMED
    coupon.refresh_from_db()
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_when_revoked")


def test_a_till_redemption_wins_over_expiry_and_is_flagged() -> None:
    coupon = issued()
    end_long_ago(coupon)
    assert lifecycle.expire_due() == 1
    redeem(coupon)
    coupon.refresh_from_db()
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_when_expired")


def test_a_redeemed_coupon_cannot_be_revoked() -> None:
    coupon = issued()
    redeem(coupon)
    with pytest.raises(Refused) as refused:
        revoke(coupon)
    assert refused.value.reason is Reason.REDEEMED


def test_revoking_twice_is_revoking_once() -> None:
    template = published(stock=1)
    coupon = issued(template)
    revoke(coupon)
    revoke(coupon)
    template.refresh_from_db()
    assert template.issued_count == 0
    assert kinds(coupon).count(EventKind.REVOKED) == 1


def test_a_revoke_gives_its_place_in_the_stock_to_another() -> None:
    template = published(stock=1)
    revoke(issued(template))
    assert issued(template).status == CouponStatus.ISSUED


def test_a_revoked_coupon_that_is_redeemed_after_its_place_was_given_on_does_not_break_the_stock() -> None:
    template = published(stock=1)
    coupon = issued(template)
    revoke(coupon)
    issued(template)
    redeem(coupon)
    template.refresh_from_db()
    assert template.issued_count == 1


def test_expiry_takes_effect_on_reading_before_the_event_follows() -> None:
    coupon = issued()
    end_long_ago(coupon)
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.ISSUED
    assert lifecycle.status_now(coupon) is CouponStatus.EXPIRED


def test_the_last_second_of_validity_still_counts() -> None:
    coupon = issued()
    last = coupon.valid_until
    assert not lifecycle.has_expired(coupon, last + timedelta(milliseconds=999))
    assert lifecycle.has_expired(coupon, last + timedelta(seconds=1))


def test_expiring_again_finds_nothing() -> None:
    coupon = issued()
    end_long_ago(coupon)
    assert (lifecycle.expire_due(), lifecycle.expire_due()) == (1, 0)
    assert kinds(coupon).count(EventKind.EXPIRED) == 1


def test_history_cannot_be_changed_or_removed_in_the_database() -> None:
    coupon = issued()
    for harm in (
        lambda: CouponEvent.objects.update(actor="nobody"),
        lambda: CouponEvent.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            harm()
    assert kinds(coupon) == [EventKind.ISSUED]


def test_terms_under_which_a_coupon_is_out_cannot_be_changed_in_the_database() -> None:
    version = issued().version
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(terms_json={})
    TemplateVersion.objects.filter(pk=version.pk).update(dfire_id="x")  # what is not a term may change


@pytest.mark.parametrize(
    "broken",
    [
        "status = 'spent'",
        "delivery = 'lost'",
        "status = 'redeemed'",
        "redeemed_at = now()",
        "code = '12345'",
        "valid_until = valid_from - interval '1 second'",
    ],
)
def test_the_database_refuses_a_coupon_that_cannot_be(broken: str) -> None:
    coupon = issued()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE coupons_issuedcoupon SET {broken} WHERE id = %s", [coupon.pk])
