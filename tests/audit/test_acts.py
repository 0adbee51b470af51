"""What staff do stands in the trail or has not happened: one transaction holds both."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.consume import lanes
from integrations.models import ConsumeReport, OutboxRow, Reconciliation, UnknownCodes
from integrations.models.inbox import OPEN_STATES
from integrations.models.reconcile import Drift, FindingState, Repair
from integrations.models.reports import ReportState
from integrations.outbox import repair
from tests.admin.conftest import World
from tests.admin.pages import act, trail_of
from tests.admin.test_reconciliation import _found, _run

DISMISSED = {"reason": "not ours"}
RETRY_ALIKE = "/admin/integrations/outboxrow/retry-alike/?error=permanent:005"


class TrailIsGoneError(Exception):
    """Stands for a worker that dies before it has told."""


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be told any more."""

    def record(*args: Any, **kwargs: Any) -> None:
        raise TrailIsGoneError

    monkeypatch.setattr("merchants.admin.noting.record", record)
    monkeypatch.setattr("integrations.admin.outbox_errors.record", record)


@pytest.fixture
def plan(world: World) -> Reconciliation:
    """A comparison with one finding to decide about."""
    run = _run(world.own)
    _found(run, Drift.MISSING_THERE, world.coupon.code, Repair.DELIVER_AGAIN, coupon=world.coupon)
    return run


@pytest.fixture
def report(world: World) -> ConsumeReport:
    """A report that has failed."""
    made: ConsumeReport = ConsumeReport.objects.create(
        coupon=world.coupon, account=world.smart, available_at=timezone.now(), state=ReportState.DEAD
    )
    return made


@pytest.mark.usefixtures("dies")
def test_what_cannot_be_told_is_not_done(root: Client, world: World, plan: Reconciliation, report: Any) -> None:
    for row, path, fields in (
        (UnknownCodes.objects.get(), "let-go-on", {}),
        (world.open_callback, "dismiss", DISMISSED),
        (world.open_callback, "apply", {"code": world.coupon.code, **DISMISSED}),
        (world.dead, "retry", {}), (world.dead, "cancel", {}),
        (report, "retry", {}),
        (plan, "accept", {"kind": Drift.MISSING_THERE}),
        (plan.findings.get(), "accept", {}),
    ):  # fmt: skip
        with pytest.raises(TrailIsGoneError):
            act(root, row, path, **fields)
    with pytest.raises(TrailIsGoneError):
        root.post(RETRY_ALIKE, {"confirmed": "yes"})
    assert UnknownCodes.objects.get().held_at
    world.open_callback.refresh_from_db()
    assert world.open_callback.state in OPEN_STATES
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "dead"
    assert ConsumeReport.objects.get(pk=report.pk).state == ReportState.DEAD
    assert plan.findings.get().state == FindingState.OPEN


def test_reports_are_told_that_were_taken_and_no_others(root: Client, world: World, report: ConsumeReport) -> None:
    assert lanes.retry(ConsumeReport.objects.all()) == [report.pk]
    assert lanes.retry(ConsumeReport.objects.all()) == []
    ConsumeReport.objects.update(state=ReportState.DEAD)
    act(root, report, "retry")
    assert trail_of(report) == [("root", "Queued again.")]


def test_many_that_are_retried_are_told_with_each_hundred(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "_TOGETHER", 1)
    OutboxRow.objects.update(state="dead")
    told: list[tuple[int, int]] = []
    count = OutboxRow.objects.filter(merchant=world.own, coupon__isnull=False).count()
    repair.retry_all(
        OutboxRow.objects.filter(merchant=world.own, coupon__isnull=False), seconds=60,
        told=lambda done, left: told.append((done, left)),
    )  # fmt: skip
    assert told == [(done, count - done) for done in range(1, count + 1)]
