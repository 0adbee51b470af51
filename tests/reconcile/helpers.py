"""Running a comparison to its end, and reading its plan."""

import threading
from collections.abc import Callable

from django.db import connection

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import Finding, Reconciliation
from integrations.models.reconcile import RunMode, RunState
from integrations.outbox import engine
from integrations.reconcile import deciding, driving, repairing, runs
from merchants.models import Merchant
from tests.outbox.helpers import drain_through, one_coupon

FULL, QUICK = RunMode.FULL, RunMode.QUICK


def compare(merchant: Merchant, mode: RunMode = FULL, *, by: object = None) -> Reconciliation:
    """Compare the merchant with dfire, to the end."""
    run = runs.start(merchant, mode, by=by)  # type: ignore[arg-type]
    driving.work_all()
    run.refresh_from_db()
    return run


def plan(run: Reconciliation) -> list[tuple[str, str, str]]:
    """Kind, subject and suggested repair of each finding."""
    return sorted(Finding.objects.filter(run=run).values_list("kind", "subject", "repair"))


def repair_all(run: Reconciliation, by: object) -> None:
    """Staff have everything repaired, and dfire is told."""
    deciding.repair(run, Finding.objects.all(), by=by)  # type: ignore[arg-type]
    repairing.repair_queued()
    drain_through()


def delivered(template: CouponTemplate, count: int = 1) -> list[IssuedCoupon]:
    """Coupons that dfire holds."""
    coupons = [one_coupon(template) for _ in range(count)]
    engine.drain()
    for coupon in coupons:
        coupon.refresh_from_db()
        assert coupon.delivery == "delivered"
    return coupons


def agree(merchant: Merchant) -> None:
    """A new comparison finds nothing."""
    run = compare(merchant)
    assert (run.state, plan(run)) == (RunState.APPLIED, [])


def side_by_side(*works: Callable[[], object]) -> None:
    """Several at the same moment, each with a connection of its own."""

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
