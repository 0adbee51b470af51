"""Rows that are claimed ahead: the calls in flight stay what the account allows, and trouble gives them back."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coupons.choices import Delivery
from coupons.models import CouponTemplate
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine
from integrations.outbox.calling import perform
from integrations.outbox.claiming import claim
from integrations.outbox.together import settle_together
from merchants.models import DfireAccount
from tests.conftest import APP_KEY
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, one_coupon
from tests.outbox.workers import draining_processes

pytestmark = pytest.mark.django_db(transaction=True)


def limit(account: DfireAccount, concurrency: int) -> None:
    account.max_concurrency, account.max_requests_per_second = concurrency, 0
    account.save()


def deliveries() -> Any:
    return OutboxRow.objects.filter(kind=RowKind.DELIVER)


def test_calls_in_flight_hold_across_two_processes_that_claim_ahead(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    limit(account, 3)
    for _ in range(60):
        one_coupon(template)
    dfire.forget_limits()
    dfire.fault(DELIVER, "latency", times=None, latency_ms=20)
    for process in draining_processes(2):
        assert process.wait(60) == 0
    assert dfire.limits(APP_KEY)["max_concurrent"] <= 3
    assert dfire.totals()["delivered_twice"] == 0
    assert set(deliveries().values_list("state", flat=True)) == {RowState.DONE}
    leases = OutboxAttempt.objects.filter(row__in=deliveries()).values_list("lease_token", flat=True)
    assert len(set(leases)) < len(leases), "some rows shared a lease"


def test_what_waits_behind_a_call_that_goes_wrong_is_given_back_unsent(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    limit(account, 1)
    coupons = [one_coupon(template) for _ in range(12)]
    claimed = claim(account.pk, 1, in_a_row=12)
    [jobs] = claimed.places().values()
    assert len(jobs) == 12
    assert not claim(account.pk, 1).jobs, "twelve rows are one call in flight"
    dfire.fault(DELIVER, "drop_after", times=1)
    engine._engine.in_flight[account.pk] += 1
    place = engine._engine.places[jobs[0].token] = engine.Place(jobs[0].token, account.pk, engine._finish)
    place.give(jobs, engine._pool())
    drain_through()
    first = OutboxAttempt.objects.filter(row=jobs[0].row_id).order_by("id")[0]
    assert first.result == "uncertain"
    given_back = OutboxAttempt.objects.filter(lease_token=jobs[0].token).exclude(pk=first.pk)
    assert {(one.result, one.http_status) for one in given_back} == {("retryable", None)}
    assert set(deliveries().values_list("state", "tries")) == {(RowState.DONE, 0)}
    assert dfire.totals()["delivered_twice"] == 0
    assert len(coupons) == deliveries().count()


def test_the_statements_that_settle_do_not_grow_with_the_rows(template: CouponTemplate, account: DfireAccount) -> None:
    limit(account, 16)
    counts = []
    for number in (2, 9):
        coupons = [one_coupon(template) for _ in range(number)]
        jobs = claim(account.pk, number).jobs
        finished = [(job, perform(job)) for job in jobs]
        with CaptureQueriesContext(connection) as queries:
            assert settle_together(finished) == []
        counts.append(len(queries))
        for coupon in coupons:
            coupon.refresh_from_db()
            assert coupon.delivery == Delivery.DELIVERED
            assert list(coupon.events.values_list("kind", flat=True))[-1] == "delivered"
    assert counts[0] == counts[1] <= 14


def test_the_statements_that_claim_do_not_grow_with_the_rows(template: CouponTemplate, account: DfireAccount) -> None:
    limit(account, 16)
    counts = []
    for number in (2, 9):
        for _ in range(number):
            one_coupon(template)
        with CaptureQueriesContext(connection) as queries:
            jobs = claim(account.pk, number).jobs
        assert len(jobs) == number
        counts.append(len(queries))
        OutboxRow.objects.filter(state=RowState.SENDING).update(state=RowState.DONE, lease_token=None, lease_until=None)
    assert counts[0] == counts[1]
