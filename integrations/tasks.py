"""Celery's tasks: doorbells and clocks, one line each. What they do stands in the modules they call."""

from celery import shared_task

from coupons import lifecycle
from integrations import inbox
from integrations.outbox import engine
from integrations.reconcile import driving, nightly, repairing
from integrations.sync import release


@shared_task
def drain_outbox() -> None:
    """Work the outbox until nothing is due."""
    engine.drain()


@shared_task
def expire_coupons() -> None:
    """Expire what is over; a full batch means that there is more."""
    while lifecycle.expire_due(limit=500) == 500:
        pass


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
    """Queue waiting rows that lack nothing any more."""
    release.ready()
