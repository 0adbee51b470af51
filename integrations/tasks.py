"""Celery's tasks: doorbells and clocks, one line each. What they do stands in the modules they call."""

from celery import shared_task

from coupons import lifecycle
from integrations import inbox
from integrations.outbox import engine
from integrations.retention import erasing, pruning
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
def retry_inbox() -> None:
    """Try open callbacks again."""
    inbox.retry_open()


@shared_task
def release_waiting() -> None:
    """Queue waiting rows that lack nothing any more."""
    release.ready()


@shared_task
def advance_erasures() -> None:
    """Take the erasures of customers on."""
    erasing.advance_all()


@shared_task
def prune() -> None:
    """Remove contents that have come of age."""
    pruning.prune()
