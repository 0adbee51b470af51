"""A hundred thousand queued rows of one merchant cost another merchant's one row nothing.

What is asserted are plans and counts; times are printed, because they mean nothing on a machine that is busy.
"""

import sys
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, holding, picking
from integrations.outbox.claiming import claim
from merchants.models import DfireAccount, Merchant
from tests.factories import MerchantFactory, published
from tests.outbox.dfire import DELIVER, SAVE, Dfire
from tests.outbox.helpers import copy_of, drain_through, one_coupon, row_of

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 100_000


@pytest.fixture
def other(account: DfireAccount) -> Merchant:
    """The merchant with one row, whose account is the same."""
    made: Merchant = MerchantFactory(dfire_account=account)
    return made


@pytest.fixture(autouse=True)
def _no_plan_without_end() -> Iterator[None]:
    """The plans that this guards against compare every row with every other."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '30s'")
        yield
        cursor.execute("RESET statement_timeout")


def say(words: str) -> None:
    """For the report; pytest shows it with -s."""
    sys.stdout.write(f"\n{words}\n")


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def ready_template(merchant: Merchant) -> CouponTemplate:
    """A template that dfire knows, without asking it."""
    made = published(merchant=merchant)
    TemplateVersion.objects.filter(template=made).update(saved_at=timezone.now())
    OutboxRow.objects.filter(template=made, kind=RowKind.SAVE_PROMOTION).update(state=RowState.DONE)
    return made


def explained(account: DfireAccount) -> str:
    """The plans of both questions, with what was read."""
    said = []
    with connection.cursor() as cursor:
        for sql in (picking._PICK, picking._DUE_ACCOUNTS):
            cursor.execute("SET enable_sort = off")
            cursor.execute(
                f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) {sql}", picking._parameters(account.pk, 16, timezone.now())
            )
            said += [line for (line,) in cursor.fetchall()]
            cursor.execute("RESET enable_sort")
    return "\n".join(said)


def assert_by_index(account: DfireAccount) -> None:
    """Rows are found by the queue's index, and no great number of them is looked at and passed over."""
    plan = explained(account)
    assert "using outbox_ready" in plan
    assert "Seq Scan on integrations_outboxrow" not in plan
    passed_over = [int(line.split(":")[1]) for line in plan.splitlines() if "Rows Removed by Filter" in line]
    assert max(passed_over, default=0) < 100, plan


def milliseconds(account: DfireAccount) -> float:
    """The median of a few picks."""
    taken = []
    for _ in range(7):
        began = time.perf_counter()
        picking.pick(account.pk, 16, timezone.now())
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[len(taken) // 2]


def claims_until(coupon: IssuedCoupon, account: DfireAccount, at_once: int) -> int:
    """How many claims it takes until the coupon's row is under way."""
    for count in range(1, 50):
        assert claim(account.pk, at_once).jobs
        if row_of(coupon).state == RowState.SENDING:
            return count
    raise AssertionError("its turn never came")


def test_one_row_behind_100000_of_another_merchant_is_among_the_next(
    template: CouponTemplate, account: DfireAccount, other: Merchant
) -> None:
    first = one_coupon(template)
    small = milliseconds(account)
    copy_of(first, MANY)
    lonely, next_one = (one_coupon(ready_template(other)) for _ in range(2))
    analyze()
    assert_by_index(account)
    large = milliseconds(account)
    say(f"a pick among 1 row: {small:.1f} ms, among {MANY + 3}: {large:.1f} ms ({large / small:.1f} times)")
    # One call at a time: with nothing in flight the lot decides who begins, then whoever has fewer in flight is next.
    assert claims_until(lonely, account, 1) <= 2
    assert claims_until(next_one, account, 8) == 1


def test_planned_with_the_statistics_of_an_emptier_queue_it_is_found_all_the_same(
    template: CouponTemplate, account: DfireAccount, other: Merchant
) -> None:
    first = one_coupon(template)
    OutboxRow.objects.update(state=RowState.DONE)
    copy_of(first, MANY)
    analyze()  # a long history, and nothing queued
    OutboxRow.objects.filter(kind=RowKind.DELIVER).update(state=RowState.QUEUED)
    fine = ready_template(other)
    for _ in range(5):
        one_coupon(fine)
    picked = picking.pick(account.pk, 10, timezone.now())
    assert OutboxRow.objects.filter(pk__in=picked, merchant=other).count() == 5
    assert picking.due_accounts(timezone.now()) == [account.pk]


def test_100000_rows_that_wait_for_their_template_are_not_even_looked_at(
    merchant: Merchant, account: DfireAccount, other: Merchant, dfire: Dfire
) -> None:
    dfire.fault(SAVE, "refuse", times=None)
    unsaved = published(merchant=merchant)
    first = one_coupon(unsaved)
    engine.drain()
    assert (row_of(first).state, row_of(first).held) == (RowState.QUEUED, True)
    fine = ready_template(other)
    lonely = one_coupon(fine)
    small = milliseconds(account)
    copy_of(first, MANY)
    analyze()
    assert_by_index(account)
    large = milliseconds(account)
    say(f"a pick beside 1 held row: {small:.1f} ms, beside {MANY + 1}: {large:.1f} ms ({large / small:.1f} times)")
    assert claims_until(lonely, account, 16) == 1
    TemplateVersion.objects.filter(template=unsaved).update(saved_at=timezone.now())
    began = time.perf_counter()
    assert holding.release() == MANY + 1
    say(f"let go in {time.perf_counter() - began:.1f} s")
    assert_by_index(account)
    assert len(picking.pick(account.pk, 16, timezone.now())) == 16


def test_held_coupons_go_out_as_soon_as_their_template_is_saved(merchant: Merchant, dfire: Dfire) -> None:
    unsaved = published(merchant=merchant)
    coupons = [one_coupon(unsaved) for _ in range(3)]
    assert {row_of(coupon).held for coupon in coupons} == {True}
    engine.drain()
    assert {row_of(coupon).state for coupon in coupons} == {RowState.DONE}
    assert dfire.methods()[0] == SAVE
    assert dfire.methods().count(DELIVER) == 3


def test_a_coupon_that_lacked_a_binding_is_not_held_for_a_template_that_was_saved_meanwhile(
    merchant: Merchant, dfire: Dfire
) -> None:
    coupon = one_coupon(published(merchant=merchant), openid="")
    engine.drain()
    coupon.customer.openid = "bound-now"
    coupon.customer.save()
    drain_through()
    assert row_of(coupon).state == RowState.DONE


def test_what_is_held_for_nothing_is_found_by_the_clock(template: CouponTemplate) -> None:
    coupon = one_coupon(template)
    OutboxRow.objects.filter(coupon=coupon).update(held=True)
    engine.drain()
    assert row_of(coupon).state == RowState.QUEUED
    assert holding.release() == 1
    engine.drain()
    assert row_of(coupon).state == RowState.DONE
