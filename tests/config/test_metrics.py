"""`/metrics`: the same truth whichever process answers, bounded, and not for the public."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.values import MultiProcessValue

from config import metrics as endpoint
from config.bounded import Question
from config.counted import MOST_DEAD, Counted
from coupons.models import CouponTemplate
from integrations import counters, figures
from integrations.models import AccountState, DfireCallback, OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import engine
from integrations.sandbox.server import Sandbox
from merchants.models import DfireAccount, Merchant
from tests.factories import published
from tests.hooks.helpers import callback, tell
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import one_coupon
from tests.outbox.workers import ROOT, environment

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test asks the database anew."""
    monkeypatch.setattr(endpoint, "_figures", Question(endpoint._ask, keep_seconds=0))


def read(**headers: str) -> Values:
    """Every value by its name and labels."""
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(found: Values, name: str, **labels: str) -> float:
    """One value; 0 where nothing was counted yet."""
    return found.get((name, frozenset(labels.items())), 0.0)


@pytest.fixture
def template(merchant: Merchant) -> CouponTemplate:
    """A template that dfire knows."""
    made = published(merchant=merchant)
    engine.drain()
    return made


@pytest.mark.django_db(transaction=True)
def test_the_queue_is_told_by_account_with_its_age(template: CouponTemplate) -> None:
    coupons = [one_coupon(template) for _ in range(3)]
    one_coupon(template, openid="")
    OutboxRow.objects.filter(coupon=coupons[0]).update(
        queued_at="2026-01-01T00:00:00Z", available_at="2026-01-01T00:00:00Z"
    )
    OutboxRow.objects.filter(coupon=coupons[1]).update(state=RowState.DEAD)
    found = read()
    assert value(found, "portal_outbox_rows", account="sandbox", state="queued") == 2
    assert value(found, "portal_outbox_rows", account="sandbox", state="waiting") == 1
    assert value(found, "portal_outbox_dead_rows", account="sandbox") == 1
    assert value(found, "portal_outbox_overdue_rows", account="sandbox") == 1
    assert value(found, "portal_outbox_oldest_seconds", account="sandbox") > 24 * 3600
    engine.drain()
    found = read()
    assert value(found, "portal_outbox_oldest_seconds", account="sandbox") == 0
    assert ("portal_outbox_oldest_seconds", frozenset({("account", "sandbox")})) in found, "0 is said, not left out"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_waited_for_weeks_is_as_old_as_its_release(template: CouponTemplate) -> None:
    coupon = one_coupon(template, openid="")
    OutboxRow.objects.filter(coupon=coupon).update(created_at="2026-01-01T00:00:00Z", queued_at="2026-01-01T00:00:00Z")
    assert value(read(), "portal_outbox_oldest_seconds", account="sandbox") == 0, "what waits for people is not late"
    coupon.customer.openid = "o3Pm"
    coupon.customer.save()
    assert 0 < value(read(), "portal_outbox_oldest_seconds", account="sandbox") < 60


@pytest.mark.django_db(transaction=True)
def test_attempts_are_counted_by_class_and_accounts_tell_their_limits(
    template: CouponTemplate, sandbox: Sandbox, account: DfireAccount
) -> None:
    before = read()
    Dfire(sandbox).fault(DELIVER, "busy")
    one_coupon(template)
    one_coupon(template)
    engine.drain()
    AccountState.objects.filter(account=account).update(stopped_at="2026-01-01T00:00:00Z")
    found = read()
    grown = {
        result: value(found, "portal_outbox_attempts_total", account="sandbox", kind="deliver", result=result)
        - value(before, "portal_outbox_attempts_total", account="sandbox", kind="deliver", result=result)
        for result in ("ok", "retryable")
    }
    assert grown == {"ok": 1, "retryable": 1}
    calls = value(found, "portal_outbox_call_seconds_count", account="sandbox")
    assert calls - value(before, "portal_outbox_call_seconds_count", account="sandbox") == 2
    assert value(found, "portal_account_stopped", account="sandbox") == 1
    assert value(found, "portal_account_max_concurrency", account="sandbox") == account.max_concurrency
    assert time.time() - value(found, "portal_account_last_answer_timestamp_seconds", account="sandbox") < 60


@pytest.mark.django_db(transaction=True)
def test_hooks_are_counted_with_their_time_and_their_refusals(account: DfireAccount, settings: Any) -> None:
    before = read()
    assert tell(callback(account, "1234567890123456")).status_code == 200
    assert tell({**callback(account, "1"), "v": "2"}).status_code == 401
    settings.HOOK_RATE_LIMIT = 1
    while tell(callback(account, "1234567890123456")).status_code != 429:
        pass
    found = read()

    def grown(name: str, **labels: str) -> float:
        return value(found, name, **labels) - value(before, name, **labels)

    assert grown("portal_hook_answers_total", hook="hook-dfire", status="200") >= 1
    assert grown("portal_hook_answers_total", hook="hook-dfire", status="401") == 1
    assert grown("portal_hook_answers_total", hook="hook-dfire", status="429") == 1
    assert grown("portal_hook_throttled_total", caller="dfire") == 1
    assert grown("portal_callbacks_total", state="unknown_coupon") >= 1
    assert grown("portal_hook_seconds_count", hook="hook-dfire") >= 3
    assert value(found, "portal_inbox_open", account="sandbox") == DfireCallback.objects.count()


_COUNTS = """
import django
django.setup()
from integrations.counters import TASKS
TASKS.labels("test", "success").inc({number})
"""


def count_elsewhere(number: int) -> None:
    """A process that counts and is gone."""
    subprocess.run([sys.executable, "-c", _COUNTS.format(number=number)], env=environment(), cwd=ROOT, check=True)


@pytest.mark.django_db(transaction=True)
def test_what_other_processes_count_is_told_too_after_their_end() -> None:
    before = value(read(), "portal_tasks_total", task="test", state="success")
    counters.TASKS.labels("test", "success").inc(3)
    count_elsewhere(4)
    assert value(read(), "portal_tasks_total", task="test", state="success") - before == 7


def test_the_files_of_dead_processes_are_folded_and_nothing_is_lost(tmp_path: Path) -> None:
    declared = counters.TASKS._name
    for place in range(2 * MOST_DEAD):
        number = 10_000_000 + place  # beyond any process number there is
        value_class = MultiProcessValue(lambda number=number: number)  # type: ignore[misc]
        os.environ["PROMETHEUS_MULTIPROC_DIR"], kept = str(tmp_path), os.environ["PROMETHEUS_MULTIPROC_DIR"]
        try:
            counted = value_class("counter", declared, f"{declared}_total", ("task", "state"), ("t", "success"), "x")
            counted.inc(2)
        finally:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = kept
    for _ in range(2):
        found = {metric.name: metric for metric in Counted(tmp_path).collect()}
        assert [sample.value for sample in found[declared].samples] == [4 * MOST_DEAD]
    assert [file.name for file in tmp_path.glob("*.db")] == ["counter_0.db"]


def test_a_file_that_was_made_this_very_moment_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "counter_1.db").touch()
    assert all(metric.samples == [] for metric in Counted(tmp_path).collect())


@pytest.mark.django_db(transaction=True)
def test_no_label_names_a_merchant_a_customer_or_a_coupon(template: CouponTemplate) -> None:
    one_coupon(template, identifier="13800138000")
    engine.drain()
    labels = {label for _, pairs in read() for label, _ in pairs}
    assert labels <= {
        "account",
        "state",
        "kind",
        "result",
        "hook",
        "status",
        "caller",
        "task",
        "part",
        "le",
        "needed_for",
        "app",
        "route",
        "method",
        "limit",
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("token", "peer", "headers", "status"),
    [
        ("", "127.0.0.1", {}, 200),
        ("", "::1", {}, 200),
        ("", "192.0.2.7", {}, 403),
        ("", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("", "127.0.0.1", {"X-Real-IP": "192.0.2.7"}, 403),
        ("", "192.0.2.7", {"Authorization": "Bearer "}, 403),
        ("t0ken", "127.0.0.1", {}, 401),
        ("t0ken", "127.0.0.1", {"Authorization": "Bearer t0ken"}, 200),
        ("t0ken", "192.0.2.7", {"Authorization": "Bearer t0ken"}, 200),
        ("t0ken", "192.0.2.7", {"Authorization": "Bearer t0ke"}, 401),
        ("t0ken", "192.0.2.7", {"Authorization": "Basic t0ken"}, 401),
        ("t0ken", "192.0.2.7", {"Authorization": "Bearer 令牌"}, 401),
    ],
)
def test_who_may_read_it(token: str, peer: str, headers: dict[str, str], status: int, settings: Any) -> None:
    settings.METRICS_TOKEN = token
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    answer = Client().get("/metrics", REMOTE_ADDR=peer, **meta)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert (b"portal_" in answer.content) is (status == 200)


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_counts_are_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> Any:
        time.sleep(60)

    monkeypatch.setattr(endpoint, "LONGEST_SECONDS", 0.2)
    monkeypatch.setattr(endpoint, "_figures", Question(silent, keep_seconds=0))
    counters.TASKS.labels("test", "success").inc()
    found = read()
    assert value(found, "portal_database_figures_ok") == 0
    assert value(found, "portal_tasks_total", task="test", state="success") >= 1


@pytest.mark.django_db(transaction=True)
def test_scrapes_one_after_another_ask_the_database_once(
    template: CouponTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ask() -> Any:
        asked.append(1)
        return endpoint._ask()

    monkeypatch.setattr(endpoint, "_figures", Question(ask, keep_seconds=endpoint.KEEP_SECONDS))
    for _ in range(5):
        read()
    assert (len(asked), endpoint.KEEP_SECONDS >= 5) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_the_database_is_asked_by_indexes_of_what_is_unsettled(template: CouponTemplate) -> None:
    """A hundred thousand settled rows are never read; CI has no time for a million, the plan is the same."""
    one_coupon(template)
    settled = OutboxRow.objects.filter(state=RowState.DONE).values_list("pk", flat=True)[:1]
    with connection.cursor() as cursor:
        names = [field.column for field in OutboxRow._meta.concrete_fields if field.column != "id"]
        columns = ", ".join(names)
        cursor.execute(
            f"INSERT INTO integrations_outboxrow ({columns})"
            f" SELECT {columns} FROM integrations_outboxrow, generate_series(1, 100000) WHERE id = %s",
            [settled[0]],
        )
        cursor.execute("ANALYZE integrations_outboxrow")
        for sql in (figures._OUTBOX, figures._DEAD, figures._INBOX):
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan on integrations_" not in plan, plan
