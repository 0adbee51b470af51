"""What reads may take of an account: its limits hold for them and the outbox together, and deliveries go first."""

import time
import uuid
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import AccountState, ReadsInFlight
from integrations.models.reconcile import RunMode, RunState
from integrations.outbox import engine, pace
from integrations.reconcile import driving, runs
from merchants.models import DfireAccount, Merchant
from tests.factories import CustomerFactory
from tests.outbox.dfire import ASK_CUSTOMER, DELIVER
from tests.outbox.helpers import one_coupon
from tests.reconcile.dfire import Dfire
from tests.reconcile.helpers import compare, side_by_side

pytestmark = pytest.mark.django_db(transaction=True)


def test_reads_and_deliveries_together_keep_to_rate_and_concurrency(
    merchant: Merchant, template: Any, dfire: Dfire, account: DfireAccount
) -> None:
    DfireAccount.objects.update(max_requests_per_second=40, max_concurrency=4)
    for _ in range(40):
        CustomerFactory(merchant=merchant)
    for _ in range(40):
        one_coupon(template)
    dfire.fault("*", "latency", times=None, latency_ms=60)
    dfire.forget_limits()
    run = runs.start(merchant, RunMode.FULL)
    side_by_side(engine.drain, driving.work_all)
    run.refresh_from_db()
    assert run.state in (RunState.APPLIED, RunState.PLANNED)
    limits = dfire.limits(account.app_key)
    assert limits["max_concurrent"] <= 4
    assert limits["max_per_second"] <= 40
    assert not ReadsInFlight.objects.exists()


def test_while_deliveries_are_due_one_read_is_in_flight_at_most(
    merchant: Merchant, template: Any, account: DfireAccount
) -> None:
    token = uuid.uuid4()
    assert len(pace.take_reads(account.pk, token, wanted=50, in_flight=0).starts) == account.max_concurrency - 1
    one_coupon(template)
    assert pace.take_reads(account.pk, token, wanted=50, in_flight=3) == pace.ReadSlots([], yielding=True)
    assert len(pace.take_reads(account.pk, token, wanted=50, in_flight=0).starts) == 1


def test_an_account_with_one_call_at_a_time_is_the_deliveries_alone_while_they_are_due(
    merchant: Merchant, template: Any, account: DfireAccount
) -> None:
    DfireAccount.objects.update(max_concurrency=1)
    token = uuid.uuid4()
    assert len(pace.take_reads(account.pk, token, wanted=5, in_flight=0).starts) == 1
    one_coupon(template)
    assert not pace.take_reads(account.pk, token, wanted=5, in_flight=0).starts


def test_the_outbox_finds_a_call_free_while_reads_take_all_they_may(
    merchant: Merchant, template: Any, account: DfireAccount
) -> None:
    pace.take_reads(account.pk, uuid.uuid4(), wanted=50, in_flight=0)
    state = AccountState.objects.select_related("account").get(account=account)
    assert pace.allowance(state, 50, timezone.now()).count == 1


def test_reads_of_a_dead_worker_hold_nothing_back_for_long(account: DfireAccount) -> None:
    pace.take_reads(account.pk, uuid.uuid4(), wanted=50, in_flight=0)
    assert not pace.take_reads(account.pk, uuid.uuid4(), wanted=50, in_flight=0).starts
    ReadsInFlight.objects.update(until=timezone.now())
    assert pace.take_reads(account.pk, uuid.uuid4(), wanted=50, in_flight=0).starts


def test_an_account_that_asked_us_to_slow_down_is_read_slowly(account: DfireAccount) -> None:
    pace.take_reads(account.pk, uuid.uuid4(), wanted=1, in_flight=0)
    ReadsInFlight.objects.all().delete()
    pace.slow_down(account.pk, timezone.now())
    assert len(pace.take_reads(account.pk, uuid.uuid4(), wanted=50, in_flight=0).starts) < account.max_concurrency // 2


def test_many_questions_are_in_flight(merchant: Merchant, dfire: Dfire, account: DfireAccount) -> None:
    for _ in range(150):
        CustomerFactory(merchant=merchant)
    dfire.fault(ASK_CUSTOMER, "latency", times=None, latency_ms=200)
    began = time.monotonic()
    compare(merchant)
    took = time.monotonic() - began
    ideal = 150 / account.max_concurrency * 0.2
    assert dfire.limits(account.app_key)["max_concurrent"] <= account.max_concurrency
    assert took < 150 * 0.2 / 4, f"{took:.1f} s; {ideal:.1f} s with every call in use"
    assert dfire.calls(DELIVER) == []
