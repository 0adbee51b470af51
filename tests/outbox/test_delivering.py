"""A coupon's way to dfire where dfire's answer is clear."""

import pytest

from coupons.choices import Delivery
from coupons.models import CouponTemplate
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import engine
from merchants.models import DfireAccount, Merchant
from tests.conftest import APP_SECRET
from tests.factories import CustomerFactory, issued, published
from tests.outbox.dfire import DELIVER, SAVE, Dfire
from tests.outbox.helpers import drain_through, one_coupon, results, row_of, state_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_issued_coupon_is_held_at_dfire_once(merchant: Merchant, dfire: Dfire) -> None:
    customer = CustomerFactory(merchant=merchant)
    coupon = issued(published(merchant=merchant), customer)
    engine.drain()
    coupon.refresh_from_db()
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (held["status"], held["delivered"], held["openid"]) == ("held", 1, customer.openid)
    assert (coupon.delivery, coupon.delivered_openid) == (Delivery.DELIVERED, customer.openid)
    assert coupon.dfire_valid_until is not None
    assert dfire.methods() == [SAVE, DELIVER]


def test_success_with_deliver_success_false_is_a_refusal_for_staff(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.sell_out()
    coupon = one_coupon(template)
    engine.drain()
    coupon.refresh_from_db()
    row = row_of(coupon)
    assert (row.state, coupon.delivery) == (RowState.DEAD, Delivery.FAILED)
    assert results(row) == [("send", "permanent")]
    assert '"deliverSuccess":false' in row.attempts.get().answer
    engine.drain()
    assert len(dfire.calls(DELIVER)) == 1


@pytest.mark.parametrize("fault", ["busy", "rate_limited"])
def test_what_is_turned_away_backs_off_and_goes_later(template: CouponTemplate, dfire: Dfire, fault: str) -> None:
    dfire.fault(DELIVER, fault, times=2)
    coupon = one_coupon(template)
    engine.drain()
    row = row_of(coupon)
    assert (row.state, row.tries, results(row)) == (RowState.QUEUED, 1, [("send", "retryable")])
    engine.drain()
    assert len(dfire.calls(DELIVER)) == 1, "it was tried again before its time"
    drain_through()
    assert results(row_of(coupon)) == [("send", "retryable"), ("send", "retryable"), ("send", "ok")]
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert held["delivered"] == 1


def test_an_account_that_calls_too_fast_is_slowed_down(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "rate_limited")
    one_coupon(template)
    engine.drain()
    assert state_of(account).slowed_until is not None


def test_nobody_at_the_address_is_tried_again_later(template: CouponTemplate, account: DfireAccount) -> None:
    DfireAccount.objects.update(base_url="http://127.0.0.1:9/router")
    coupon = one_coupon(template)
    engine.drain()
    assert results(row_of(coupon)) == [("send", "retryable")]
    DfireAccount.objects.update(base_url=account.base_url)
    drain_through()
    assert row_of(coupon).state == RowState.DONE


def test_attempts_hold_neither_the_secret_nor_a_signature(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_after")
    one_coupon(template)
    drain_through()
    attempts = list(OutboxAttempt.objects.values())
    assert {attempt["request"]["method"] for attempt in attempts} >= {SAVE, DELIVER}
    for attempt in attempts:
        assert APP_SECRET not in str(attempt)
        assert "sign" not in attempt["request"]


def test_many_coupons_each_arrive_once_through_every_kind_of_fault(template: CouponTemplate, dfire: Dfire) -> None:
    coupons = [one_coupon(template) for _ in range(30)]
    kinds = ["busy", "drop_before", "drop_after", "http_500", "http_500_after", "garbage_after", "truncated_after"]
    rules = [{"method": DELIVER, "fault": kind, "probability": 0.15} for kind in kinds]
    dfire._call("POST", "faults", json={"rules": rules, "seed": 3})
    drain_through(40)
    totals = dfire.totals()
    assert (totals["held"], totals["delivered"], totals["delivered_twice"]) == (30, 30, 0)
    assert not OutboxRow.objects.exclude(state=RowState.DONE).exists()
    assert all(dfire.coupon(coupon.code) for coupon in coupons)
