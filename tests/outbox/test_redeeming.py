"""A callback from the till proves the delivery and makes every other message moot, whatever is under way."""

from datetime import UTC, datetime

import pytest

from coupons.choices import CouponStatus, Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations import inbox
from integrations.inbox import Redemption
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, settling
from integrations.outbox.calling import perform
from integrations.outbox.claiming import claim
from tests.outbox.dfire import DELIVER, WITHDRAW, Dfire
from tests.outbox.helpers import drain_through, leases_run_out, one_coupon, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def callback(coupon: IssuedCoupon) -> None:
    account = coupon.merchant.dfire_account
    assert account is not None
    told = {"thirdDeliverCode": coupon.code}
    inbox.take(
        account,
        Redemption(code=coupon.code, promotion_id="", entity_id="", sent_at=datetime.now(UTC), parameters=told),
    )
    coupon.refresh_from_db()


def assert_redeemed(coupon: IssuedCoupon) -> None:
    coupon.refresh_from_db()
    assert (coupon.status, coupon.delivery) == (CouponStatus.REDEEMED, Delivery.DELIVERED)


def test_a_callback_before_the_delivery_was_sent_cancels_it(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    callback(coupon)
    drain_through()
    assert_redeemed(coupon)
    assert (row_of(coupon).state, dfire.calls(DELIVER)) == (RowState.CANCELLED, [])


def test_a_callback_while_the_delivery_is_uncertain_settles_it(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template)
    engine.drain()
    callback(coupon)
    drain_through()
    assert_redeemed(coupon)
    assert row_of(coupon).state == RowState.CANCELLED
    assert len(dfire.calls(DELIVER)) == 1


@pytest.mark.parametrize("fault", ["", "busy", "refuse", "drop_before", "drop_after"])
def test_a_callback_while_the_call_is_in_flight_ends_redeemed_whatever_the_answer(
    template: CouponTemplate, dfire: Dfire, fault: str
) -> None:
    if fault:
        dfire.fault(DELIVER, fault)
    coupon = one_coupon(template)
    [job] = claim(template.merchant.dfire_account_id or 0, 1).jobs
    outcome = perform(job)
    callback(coupon)
    settling.settle(job, outcome)
    drain_through()
    assert_redeemed(coupon)
    assert row_of(coupon).state in (RowState.DONE, RowState.CANCELLED)
    assert len(dfire.calls(DELIVER)) == 1


def test_a_callback_and_a_dead_worker_send_nothing_again(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    claim(template.merchant.dfire_account_id or 0, 1)
    callback(coupon)
    leases_run_out()
    drain_through()
    assert_redeemed(coupon)
    assert dfire.calls(DELIVER) == []


def test_a_callback_for_a_revoked_coupon_stops_its_withdrawal(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    callback(coupon)
    drain_through()
    assert_redeemed(coupon)
    assert coupon.flag == "redeemed_when_revoked"
    assert row_of(coupon, RowKind.WITHDRAW).state == RowState.CANCELLED
    assert WITHDRAW not in dfire.methods()


def test_a_callback_while_the_withdrawal_is_in_flight_wins(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    dfire.redeem(coupon.code)
    revoke(coupon)
    [job] = claim(template.merchant.dfire_account_id or 0, 1).jobs
    outcome = perform(job)
    callback(coupon)
    settling.settle(job, outcome)
    drain_through()
    assert_redeemed(coupon)
    assert row_of(coupon, RowKind.WITHDRAW).state == RowState.DONE
