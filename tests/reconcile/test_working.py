"""How a run is worked: under a lease, with its progress kept, by one worker, and through whatever dfire does."""

import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.models import AccountState, CustomerAtRisk, Finding, ReadsInFlight, Reconciliation
from integrations.models.reconcile import RunMode, RunStage, RunState
from integrations.reconcile import driving, runs
from merchants.models import DfireAccount, Merchant
from tests.factories import CustomerFactory
from tests.outbox.dfire import ASK_CUSTOMER, ASK_PROMOTIONS
from tests.outbox.helpers import one_coupon, state_of
from tests.outbox.workers import ROOT, environment
from tests.reconcile.dfire import Dfire
from tests.reconcile.helpers import FULL, QUICK, agree, compare, delivered, plan

pytestmark = pytest.mark.django_db(transaction=True)

_WORKS = """
import sys, time
import django
django.setup()
from django.conf import settings
settings.RECONCILE_PAGE = 5
settings.RECONCILE_QUIET_SECONDS = 0
from django.db import connection
from integrations.models import Reconciliation
from integrations.reconcile import driving
connection.ensure_connection()
print("ready", flush=True)
sys.stdin.readline()
while Reconciliation.objects.filter(state="running").exists():
    driving.work_all()
    time.sleep(0.05)
"""


def _workers(count: int) -> list[subprocess.Popen[str]]:
    """So many worker processes, begun at the same moment."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKS],
            env=environment(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(count)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


def _asked(dfire: Dfire) -> Counter[str]:
    """How often each openid's list was read."""
    return Counter(call["openid"] for call in dfire.calls(ASK_CUSTOMER))


def _crowd(merchant: Merchant, count: int) -> set[str]:
    return {CustomerFactory(merchant=merchant).openid for _ in range(count)}


def test_every_customer_is_asked_about_once_those_at_risk_first(
    merchant: Merchant, template: Any, dfire: Dfire
) -> None:
    quiet = _crowd(merchant, 12)
    active = one_coupon(template).customer.openid
    run = compare(merchant)
    asked = [call["openid"] for call in dfire.calls(ASK_CUSTOMER)]
    assert (asked[0], set(asked[1:])) == (active, quiet)
    assert len(asked) == len(set(asked)) == run.customers_total == run.customers_done == 13
    assert not CustomerAtRisk.objects.exists()


def test_a_quick_one_asks_about_those_at_risk_alone(merchant: Merchant, template: Any, dfire: Dfire) -> None:
    _crowd(merchant, 3)
    active = one_coupon(template).customer.openid
    compare(merchant, QUICK)
    assert list(_asked(dfire)) == [active]


def test_what_a_quick_one_did_not_look_at_stays_to_be_decided(merchant: Merchant, template: Any, dfire: Dfire) -> None:
    stranger = CustomerFactory(merchant=merchant)
    dfire.give_unknown("1234123412341234", openid=stranger.openid)
    full = compare(merchant)
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    compare(merchant, QUICK)
    assert Finding.objects.get(run=full).state == "open"
    compare(merchant, FULL)
    full.refresh_from_db()
    assert (Finding.objects.get(run=full).message, full.state) == ("superseded", RunState.APPLIED)


def test_a_merchant_has_one_running_at_most(merchant: Merchant) -> None:
    runs.start(merchant, RunMode.FULL)
    with pytest.raises(runs.RunRefused) as refusal:
        runs.start(merchant, RunMode.QUICK)
    assert refusal.value.reason == "running_already"
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Reconciliation.objects.create(merchant=merchant, mode=RunMode.FULL, created_at=now, resume_at=now)


def test_a_merchant_without_an_account_is_not_compared(merchant: Merchant) -> None:
    merchant.dfire_account = None
    with pytest.raises(runs.RunRefused):
        runs.start(merchant, RunMode.FULL)


def test_a_killed_worker_costs_its_open_pages_and_no_more(
    merchant: Merchant, template: Any, dfire: Dfire, settings: Any
) -> None:
    settings.RECONCILE_MAX_WITHDRAW_PERCENT = 100
    _crowd(merchant, 60)
    DfireAccount.objects.update(max_concurrency=5)
    dfire.give_unknown("1234123412341234", openid=sorted(_crowd(merchant, 1))[0])
    dfire.fault(ASK_CUSTOMER, "latency", times=None, latency_ms=100)
    run = runs.start(merchant, RunMode.FULL)
    [worker] = _workers(1)
    deadline = time.monotonic() + 30
    while run.customers_done < 20 and time.monotonic() < deadline:
        time.sleep(0.02)
        run.refresh_from_db()
    worker.kill()
    worker.wait(10)
    run.refresh_from_db()
    done_before = run.customers_done
    assert 20 <= done_before < 61
    assert (run.state, run.stage) == (RunState.RUNNING, RunStage.REST)
    dfire.behave()
    assert runs.claim() is None  # its lease is still in force
    Reconciliation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    ReadsInFlight.objects.update(until=timezone.now() - timedelta(seconds=1))
    time.sleep(0.5)  # the sandbox still answers what the dead one asked
    before = _asked(dfire)
    driving.work_all()
    run.refresh_from_db()
    assert (run.customers_done, run.state) == (61, RunState.PLANNED)
    assert [kind for kind, *_rest in plan(run)] == ["unknown_here"]
    again = _asked(dfire) - before
    assert len(again) == again.total() == 61 - done_before
    assert len(dfire.calls(ASK_PROMOTIONS)) == 1


def test_two_workers_never_work_the_same_run(merchant: Merchant, template: Any, dfire: Dfire) -> None:
    everybody = _crowd(merchant, 40)
    dfire.fault(ASK_CUSTOMER, "latency", times=None, latency_ms=20)
    runs.start(merchant, RunMode.FULL)
    workers = _workers(2)
    assert [worker.wait(60) for worker in workers] == [0, 0]
    asked = _asked(dfire)
    assert (set(asked), set(asked.values())) == (everybody, {1})


def test_a_result_under_a_lost_lease_is_not_written(merchant: Merchant, template: Any, dfire: Dfire) -> None:
    _crowd(merchant, 3)
    runs.start(merchant, RunMode.FULL)
    run = runs.claim()
    assert run is not None
    Reconciliation.objects.update(lease_token=None, lease_until=None, state=RunState.CANCELLED)
    driving.work(run)
    run.refresh_from_db()
    assert (run.customers_total, run.state) == (0, RunState.CANCELLED)
    assert not CustomerAtRisk.objects.exists()


def test_a_cancelled_run_stops_and_can_go_on_where_it_stood(merchant: Merchant, template: Any, dfire: Dfire) -> None:
    _crowd(merchant, 4)
    run = runs.start(merchant, RunMode.FULL)
    runs.cancel(run)
    driving.work_all()
    assert not dfire.calls(ASK_CUSTOMER)
    runs.go_on(run)
    driving.work_all()
    run.refresh_from_db()
    assert (run.customers_done, run.state) == (4, RunState.APPLIED)


def test_a_turn_ends_and_the_other_merchants_have_theirs(
    merchant: Merchant, template: Any, dfire: Dfire, settings: Any
) -> None:
    settings.RECONCILE_TURN_SECONDS = 0
    _crowd(merchant, 4)
    run = runs.start(merchant, RunMode.FULL)
    claimed = runs.claim()
    assert claimed is not None
    driving.work(claimed)
    run.refresh_from_db()
    assert (run.state, run.lease_token) == (RunState.RUNNING, None)
    settings.RECONCILE_TURN_SECONDS = 60
    driving.work_all()
    run.refresh_from_db()
    assert run.state == RunState.APPLIED


def test_a_refused_configuration_stops_it_with_the_accounts_words(merchant: Merchant, dfire: Dfire) -> None:
    DfireAccount.objects.update(app_secret="wrong")
    run = compare(merchant)
    assert run.state == RunState.FAILED
    assert run.message.startswith("25 ")
    account = merchant.dfire_account
    assert account is not None
    assert state_of(account).stop_code == "25"


def test_mended_and_told_to_go_on_it_does_and_the_account_runs_again(
    merchant: Merchant, account: DfireAccount, dfire: Dfire
) -> None:
    secret = account.app_secret
    DfireAccount.objects.update(app_secret="wrong")
    run = compare(merchant)
    account.app_secret = secret
    account.save()
    runs.go_on(run)
    driving.work_all()
    run.refresh_from_db()
    assert run.state == RunState.APPLIED
    assert AccountState.objects.get(account=account).stopped_at is None


def test_a_dead_dfire_makes_it_back_off_and_go_on_later(
    merchant: Merchant, account: DfireAccount, dfire: Dfire
) -> None:
    _crowd(merchant, 20)
    dfire.fault(ASK_CUSTOMER, "drop_before", times=None)
    run = compare(merchant)
    assert (run.state, run.lease_token, run.tries) == (RunState.RUNNING, None, 1)
    assert run.resume_at > timezone.now() + timedelta(seconds=3)
    assert run.message
    calls = len(dfire.calls(ASK_CUSTOMER))
    assert calls < 30  # not every customer, and not over and over
    driving.work_all()
    assert len(dfire.calls(ASK_CUSTOMER)) == calls
    dfire.behave()
    Reconciliation.objects.update(resume_at=timezone.now())
    driving.work_all()
    run.refresh_from_db()
    assert (run.state, run.customers_done, run.tries, run.message) == (RunState.APPLIED, 20, 0, "")


def test_a_call_that_fails_now_and_then_is_made_again(merchant: Merchant, dfire: Dfire) -> None:
    _crowd(merchant, 10)
    dfire.fault(ASK_CUSTOMER, "http_500", times=3)
    run = compare(merchant)
    assert (run.state, run.customers_done, run.lists_unread) == (RunState.APPLIED, 10, 0)


def test_nothing_is_concluded_from_a_list_that_dfire_refuses(merchant: Merchant, template: Any, dfire: Dfire) -> None:
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    dfire.fault(ASK_CUSTOMER, "refuse", times=None, code="005")
    run = compare(merchant)
    assert (run.lists_unread, plan(run)) == (1, [])


def test_an_unset_openid_is_no_question(merchant: Merchant, dfire: Dfire) -> None:
    for _ in range(3):
        CustomerFactory(merchant=merchant, openid="")
    run = compare(merchant)
    assert (run.customers_done, dfire.calls(ASK_CUSTOMER)) == (3, [])


def test_what_dfire_issued_itself_has_no_code_and_is_passed_over(
    merchant: Merchant, template: Any, dfire: Dfire
) -> None:
    dfire.give_unknown("", openid=CustomerFactory(merchant=merchant).openid)
    agree(merchant)
