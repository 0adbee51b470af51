"""Nobody knows whether it happened: dfire is asked, and what is twice not there is sent again."""

import time

import pytest
from django.utils import timezone

from coupons.choices import CouponStatus, Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models.outbox import Phase, RowState
from integrations.outbox import engine
from merchants import customers
from tests.outbox.dfire import ASK_CUSTOMER, DELIVER, Dfire
from tests.outbox.helpers import drain_through, events, one_coupon, results, row_of, time_passes

pytestmark = pytest.mark.django_db(transaction=True)

LOST_AFTER = ["drop_after", "http_500_after", "garbage_after", "truncated_after"]
LOST_BEFORE = ["drop_before", "http_500"]


def delivered_once(dfire: Dfire, coupon: IssuedCoupon) -> dict[str, object]:
    coupon.refresh_from_db()
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (coupon.delivery, held["delivered"], held["refused_deliveries"]) == (Delivery.DELIVERED, 1, 0)
    return held


@pytest.mark.parametrize("fault", LOST_AFTER)
def test_a_lost_answer_is_asked_for_and_nothing_is_sent_twice(
    template: CouponTemplate, dfire: Dfire, fault: str
) -> None:
    dfire.fault(DELIVER, fault)
    coupon = one_coupon(template)
    engine.drain()
    row = row_of(coupon)
    assert (row.state, row.phase) == (RowState.QUEUED, Phase.ASK)
    drain_through()
    assert results(row) == [("send", "uncertain"), ("ask", "ok")]
    delivered_once(dfire, coupon)


@pytest.mark.parametrize("fault", LOST_BEFORE)
def test_what_twice_is_not_there_is_sent_again_and_looked_at_once_more(
    template: CouponTemplate, dfire: Dfire, fault: str
) -> None:
    dfire.fault(DELIVER, fault)
    coupon = one_coupon(template)
    drain_through()
    assert results(row_of(coupon)) == [
        *[("send", "uncertain"), ("ask", "ok"), ("ask", "ok")],
        *[("send", "ok"), ("look_again", "ok")],
    ]
    delivered_once(dfire, coupon)


def test_nothing_is_asked_before_the_call_must_have_landed(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_before")
    coupon = one_coupon(template)
    before = timezone.now()
    engine.drain()
    row = row_of(coupon)
    wait = 2 * template.merchant.dfire_account.timeout_seconds
    assert wait - 0.1 < (row.available_at - before).total_seconds() < wait + 1
    time_passes()
    asked = timezone.now()
    engine.drain()
    row.refresh_from_db()
    assert (row.absences, row.phase) == (1, Phase.ASK)
    assert (row.available_at - asked).total_seconds() > wait - 0.1


def test_a_call_that_lands_after_its_time_limit_is_found(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "latency", latency_ms=1400)
    coupon = one_coupon(template)
    engine.drain()
    assert results(row_of(coupon)) == [("send", "uncertain")]
    time.sleep(0.6)
    drain_through()
    assert results(row_of(coupon)) == [("send", "uncertain"), ("ask", "ok")]
    delivered_once(dfire, coupon)


def test_the_question_uses_the_identity_of_the_attempt_whoever_is_bound_by_then(
    template: CouponTemplate, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template, openid="first")
    engine.drain()
    customers.bind(coupon.customer, openid="second", mobile="13900000000")
    drain_through()
    held = delivered_once(dfire, coupon)
    assert (held["openid"], coupon.delivered_openid) == ("first", "first")
    assert coupon.delivered_mobile == coupon.customer.identifier
    assert [call["openid"] for call in dfire.calls(ASK_CUSTOMER)] == ["first"]


def test_each_identity_that_was_tried_is_asked_about(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_before", times=2)
    coupon = one_coupon(template, openid="first")
    for _ in range(4):  # sent, asked twice, sent again
        time_passes()
        engine.drain()
        customers.bind(coupon.customer, openid="second")
    drain_through()
    asked = [call["openid"] for call in dfire.calls(ASK_CUSTOMER)]
    assert asked == ["first", "first", "second", "first", "second", "first", "second"]
    assert delivered_once(dfire, coupon)["openid"] == "second"


def test_a_first_call_that_lands_under_the_old_identity_after_all_is_found(
    template: CouponTemplate, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "drop_before")
    coupon = one_coupon(template, openid="first")
    for _ in range(3):
        time_passes()
        engine.drain()
        customers.bind(coupon.customer, openid="second")
    assert dfire.coupon(coupon.code)["openid"] == "second"  # type: ignore[index]
    dfire.lose(coupon.code)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(delivery=Delivery.QUEUED, delivered_openid="")
    row = row_of(coupon)
    row.phase, row.available_at = Phase.SEND, timezone.now()
    row.save()
    with dfire.sandbox.app.store.locked() as db:  # it lands now, long after its time
        db.execute(
            "INSERT INTO coupons"
            " (code, app_key, promotion_id, plate_entity_id, appid, openid, status, ends_at, delivered)"
            " SELECT ?, app_key, promotion_id, plate_entity_id, appid, 'first', 'held', 9e15, 1 FROM promotions",
            [coupon.code],
        )
    drain_through()
    coupon.refresh_from_db()
    assert (coupon.delivery, coupon.delivered_openid) == (Delivery.DELIVERED, "first")


def test_a_duplicate_is_asked_about_and_if_it_is_there_it_is_done(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    dfire.fault(DELIVER, "drop_after")
    engine.drain()
    row = row_of(coupon)
    row.phase, row.available_at = Phase.SEND, timezone.now()
    row.save()
    engine.drain()
    assert results(row) == [("send", "uncertain"), ("send", "duplicate"), ("ask", "ok")]
    row.refresh_from_db()
    coupon.refresh_from_db()
    assert (row.state, coupon.delivery) == (RowState.DONE, Delivery.DELIVERED)


def test_a_duplicate_that_is_never_listed_ends_with_staff_not_in_a_loop(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "refuse", times=None, code="004")
    coupon = one_coupon(template)
    drain_through()
    coupon.refresh_from_db()
    assert (row_of(coupon).state, row_of(coupon).last_code) == (RowState.DEAD, "004")
    assert coupon.delivery == Delivery.FAILED
    assert len(dfire.calls(DELIVER)) == 2


def test_a_refusal_after_an_uncertain_try_is_looked_into(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template)
    engine.drain()
    row = row_of(coupon)
    row.phase, row.available_at = Phase.SEND, timezone.now()
    row.save()
    dfire.fault(DELIVER, "refuse")
    drain_through()
    assert results(row) == [("send", "uncertain"), ("send", "permanent"), ("ask", "ok")]
    delivered_once(dfire, coupon)


def test_a_refusal_after_a_try_that_never_happened_is_a_refusal(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_before")
    coupon = one_coupon(template)
    engine.drain()
    dfire.fault(DELIVER, "refuse", message="no such dish")
    drain_through()
    coupon.refresh_from_db()
    row = row_of(coupon)
    assert (row.state, row.last_message, coupon.delivery) == (RowState.DEAD, "no such dish", Delivery.FAILED)


def test_one_that_was_used_before_the_question_is_redeemed_here(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template)
    engine.drain()
    dfire.redeem(coupon.code)
    drain_through()
    coupon.refresh_from_db()
    assert (coupon.status, coupon.delivery) == (CouponStatus.REDEEMED, Delivery.DELIVERED)


def test_one_that_vanishes_after_it_was_sent_again_is_put_before_staff(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_before")
    coupon = one_coupon(template)
    for _ in range(3):
        time_passes()
        engine.drain()
    assert row_of(coupon).phase == Phase.LOOK_AGAIN
    dfire.lose(coupon.code)
    drain_through()
    coupon.refresh_from_db()
    assert coupon.flag == "vanished_at_dfire"
    assert "flagged" in events(coupon)
    assert len(dfire.calls(DELIVER)) == 2
