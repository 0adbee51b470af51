"""A worker that is asked to end settles what it has in flight, begins nothing more, and ends."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import doorbell
from merchants.models import DfireAccount
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, leases_run_out, one_coupon
from tests.outbox.workers import celery_worker, draining_processes

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(what: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def sixty_coupons(template: CouponTemplate, account: DfireAccount, dfire: Dfire) -> None:
    """More than a worker has done by the time it is told to end."""
    account.max_concurrency = 4
    account.save()
    for _ in range(60):
        one_coupon(template)
    dfire.fault(DELIVER, "latency", times=None, latency_ms=300)


def some_are_done() -> bool:
    return OutboxRow.objects.filter(state=RowState.DONE).count() > 5


def assert_the_rest_arrives_once(dfire: Dfire) -> None:
    assert OutboxRow.objects.filter(state=RowState.QUEUED).exists(), "it ended before all was done"
    dfire.behave()
    time.sleep(0.4)  # what was in flight lands
    leases_run_out()
    drain_through()
    totals = dfire.totals()
    assert (totals["held"], totals["delivered_twice"]) == (60, 0)


def test_a_worker_that_is_asked_to_end_settles_what_is_in_flight_and_begins_nothing_more(
    sixty_coupons: None, dfire: Dfire, tmp_path: Path
) -> None:
    with celery_worker(tmp_path / "worker.log") as worker:
        doorbell.ring()
        wait_for(some_are_done)
        worker.terminate()
        worker.wait(10)
    assert not OutboxRow.objects.filter(state=RowState.SENDING).exists()
    assert_the_rest_arrives_once(dfire)


def test_a_worker_that_is_killed_leaves_its_rows_to_their_leases(sixty_coupons: None, dfire: Dfire) -> None:
    [worker] = draining_processes(1)
    wait_for(some_are_done)
    wait_for(OutboxRow.objects.filter(state=RowState.SENDING).exists)
    worker.kill()
    worker.wait(10)
    assert OutboxRow.objects.filter(state=RowState.SENDING).exists()
    assert_the_rest_arrives_once(dfire)
