"""Celery's tasks: doorbells and clocks, one line each. What they do stands in the modules they call."""

from celery import shared_task

from coupons import figures, lifecycle
from coupons.approvals import lapsing, limits
from integrations import inbox
from integrations.alerts import checks, notices
from integrations.consume import driving as reports
from integrations.consume import writing
from integrations.outbox import engine, holding, probing
from integrations.reconcile import driving, nightly, repairing
from integrations.retention import erasing, pruning
from integrations.smart_coupon import confirming
from integrations.sync import long_works, open_redemptions, release
from integrations.webhooks import driving as webhooks


@shared_task
def drain_outbox() -> None:
    """Work the outbox until nothing is due."""
    engine.drain()


@shared_task
def expire_coupons() -> None:
    """Expire what is over; a full batch means that there is more."""
    while lifecycle.expire_due(limit=500) == 500:
        pass
    lapsing.lapse_due()
    limits.forget_old()


@shared_task
def reconcile() -> None:
    """Work the comparisons with dfire that are due."""
    driving.work_all()


@shared_task
def repair_findings() -> None:
    """Repair what staff have decided."""
    repairing.repair_queued()


@shared_task
def reconcile_nightly() -> None:
    """Begin the night's comparisons, and forget old ones."""
    nightly.begin_due()
    nightly.forget_old()


@shared_task
def retry_inbox() -> None:
    """Try open callbacks again."""
    inbox.retry_open()


@shared_task
def release_waiting() -> None:
    """Queue waiting rows that lack nothing any more, and let go what is held back for nothing."""
    release.ready()
    holding.release()


@shared_task
def advance_erasures() -> None:
    """Take the erasures of customers on."""
    erasing.advance_all()


@shared_task
def prune() -> None:
    """Remove contents that have come of age."""
    pruning.prune()


@shared_task
def merge_figures() -> None:
    """Put the figures of each day together."""
    while figures.merge():
        pass


@shared_task
def work_batches() -> None:
    """Work the batches that are due."""
    long_works.BATCHES.work()


@shared_task
def check_alerts() -> None:
    """Try stopped accounts that have nothing queued, then open and close incidents."""
    probing.try_idle()
    checks.check()


@shared_task
def send_notices() -> None:
    """Send what targets are still to be told."""
    notices.send_due()


@shared_task
def finish_unconfirmed() -> None:
    """Remove what pushes made whose process died while it waited for dfire."""
    confirming.finish_overdue()


@shared_task
def send_reports() -> None:
    """Report redemptions to the platforms that pushed the coupons."""
    reports.drain()


@shared_task
def find_unreported() -> None:
    """Write the reports that nobody has written."""
    writing.write_missing()


@shared_task
def flag_open_redemptions() -> None:
    """Put before staff what dfire has left open too long."""
    open_redemptions.flag_overdue()


@shared_task
def send_webhooks() -> None:
    """Tell partners what is due."""
    webhooks.drain()


@shared_task
def work_customer_files() -> None:
    """Check and enter the customer files that are due."""
    long_works.CUSTOMER_FILES.work()
