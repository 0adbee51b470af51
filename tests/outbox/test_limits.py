"""An account's limits hold across all workers: dfire measures them."""

import pytest
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.models.outbox import RowState
from integrations.outbox import engine, pace
from merchants.models import DfireAccount
from tests.conftest import APP_KEY
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import one_coupon, row_of, state_of
from tests.outbox.workers import draining_processes

pytestmark = pytest.mark.django_db(transaction=True)


def limit(account: DfireAccount, *, concurrency: int, rate: int) -> None:
    account.max_concurrency, account.max_requests_per_second = concurrency, rate
    account.save()


def test_calls_in_flight_and_calls_a_second_hold_across_two_processes(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    rate = 20
    limit(account, concurrency=3, rate=rate)
    for _ in range(50):
        one_coupon(template)
    dfire.forget_limits()
    dfire.fault(DELIVER, "latency", times=None, latency_ms=120)
    for process in draining_processes(2):
        assert process.wait(30) == 0
    seen = dfire.limits(APP_KEY)
    assert (seen["total"], seen["max_concurrent"]) == (50, 3)
    # How near a busy machine comes to the rate is its own affair; a slowed account would take a quarter of it.
    assert rate / pace.SLOW_FACTOR < seen["max_per_second"] <= rate
    assert dfire.totals()["delivered_twice"] == 0


def test_a_slow_rate_is_kept_by_one_drain_to_the_end(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    limit(account, concurrency=16, rate=4)
    coupons = [one_coupon(template) for _ in range(5)]
    dfire.forget_limits()
    engine.drain()
    assert [row_of(coupon).state for coupon in coupons] == [RowState.DONE] * 5
    assert dfire.limits(APP_KEY)["max_per_second"] <= 4


def test_a_slowed_account_takes_a_quarter(template: CouponTemplate, account: DfireAccount) -> None:
    limit(account, concurrency=8, rate=100)
    now = timezone.now()
    state = state_of(account)
    full = pace.allowance(state, 100, now)
    state.slowed_until = now + pace.SLOW_FOR
    slowed = pace.allowance(state, 100, now)
    assert (full.count, slowed.count) == (8, 2)
    assert slowed.interval == full.interval * pace.SLOW_FACTOR


def test_what_the_rate_allows_later_is_not_claimed_now(template: CouponTemplate, account: DfireAccount) -> None:
    limit(account, concurrency=100, rate=10)
    state = state_of(account)
    now = timezone.now()
    allowed = pace.allowance(state, 100, now)
    assert allowed.count == 5, "half a second's worth: what is leased is no longer looked at"
    pace.spend(state, allowed.count, allowed.interval, now)
    assert pace.allowance(state, 100, now) == pace.Allowance(0, paced=True)
