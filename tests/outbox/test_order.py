"""What must go before what, and what may go side by side."""

import threading

import pytest

from coupons.choices import Delivery
from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine
from integrations.outbox.claiming import claim
from merchants.models import DfireAccount, Merchant
from tests.conftest import APP_KEY
from tests.factories import published
from tests.outbox.dfire import DELIVER, SAVE, WITHDRAW, Dfire
from tests.outbox.helpers import drain_through, one_coupon, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_template_is_saved_before_its_coupons_are_delivered(merchant: Merchant, dfire: Dfire) -> None:
    dfire.fault(SAVE, "busy", times=2)
    template = published(merchant=merchant)
    one_coupon(template)
    engine.drain()
    assert dfire.methods() == [SAVE]
    drain_through()
    assert dfire.methods() == [SAVE, SAVE, SAVE, DELIVER]


def test_coupons_wait_for_a_template_that_dfire_refuses_until_staff_mend_it(merchant: Merchant, dfire: Dfire) -> None:
    dfire.fault(SAVE, "refuse")
    coupon = one_coupon(published(merchant=merchant))
    engine.drain()
    save = OutboxRow.objects.get(kind=RowKind.SAVE_PROMOTION)
    assert (save.state, row_of(coupon).state) == (RowState.DEAD, RowState.QUEUED)
    save.state, save.settled_at = RowState.QUEUED, None
    save.save()
    drain_through()
    assert row_of(coupon).state == RowState.DONE


def test_another_template_does_not_wait_for_it(template: CouponTemplate, merchant: Merchant, dfire: Dfire) -> None:
    dfire.fault(SAVE, "refuse")
    one_coupon(published(merchant=merchant, title="refused"))
    fine = one_coupon(template)
    engine.drain()
    assert row_of(fine).state == RowState.DONE


def test_two_rows_of_one_coupon_are_never_under_way_at_once(template: CouponTemplate) -> None:
    coupon = one_coupon(template)
    account_id = template.merchant.dfire_account_id or 0
    [delivering] = claim(account_id, 10).jobs
    revoke(coupon)
    assert row_of(coupon, RowKind.WITHDRAW).state == RowState.QUEUED
    assert claim(account_id, 10).jobs == [], "the withdrawal overtook the delivery"
    assert delivering.coupon_id == coupon.pk


def test_a_withdrawal_stays_behind_a_delivery_that_backs_off(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    engine.drain()
    assert WITHDRAW not in dfire.methods()
    drain_through()
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (held["status"], held["delivered"]) == ("deleted", 1)


def test_different_coupons_go_side_by_side(template: CouponTemplate, dfire: Dfire) -> None:
    for _ in range(8):
        one_coupon(template)
    dfire.forget_limits()
    dfire.fault(DELIVER, "latency", times=None, latency_ms=150)
    engine.drain()
    assert dfire.limits(APP_KEY)["max_concurrent"] > 4
    assert dfire.totals()["held"] == 8


def test_what_comes_while_calls_are_in_flight_does_not_wait_for_them(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    slow = one_coupon(template)
    dfire.fault(DELIVER, "latency", latency_ms=900, where={"thirdDeliverCode": slow.code})
    drain = threading.Thread(target=engine.drain)
    drain.start()
    quick = one_coupon(template)
    engine.drain()  # the doorbell
    for _ in range(60):
        if row_of(quick).state == RowState.DONE:
            break
        threading.Event().wait(0.01)
    assert (row_of(quick).state, row_of(slow).state) == (RowState.DONE, RowState.SENDING)
    drain.join()
    slow.refresh_from_db()
    assert slow.delivery == Delivery.DELIVERED
