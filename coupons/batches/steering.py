"""What staff say to a batch. It takes effect between two slices: the row is locked while one is worked."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from coupons.choices import BatchKind, BatchState
from coupons.errors import Reason, Refused
from coupons.models import Batch
from coupons.signals import batch_wanted

UNFINISHED = (BatchState.CHECKING, BatchState.READY, BatchState.RUNNING, BatchState.PAUSED)


@transaction.atomic
def start(batch: Batch) -> None:
    """Yes: issue to everyone whom the check found good.

    Raises:
        Refused: it has been started or cancelled meanwhile.
    """
    _move(batch, (BatchState.READY,), BatchState.RUNNING)


@transaction.atomic
def pause(batch: Batch) -> None:
    """Hold it where it is.

    Raises:
        Refused: it does not run.
    """
    _move(batch, (BatchState.RUNNING,), BatchState.PAUSED)


@transaction.atomic
def resume(batch: Batch) -> None:
    """Go on where it was held, or where it had stopped by itself.

    Raises:
        Refused: it is not paused.
    """
    checked = batch.kind == BatchKind.RECALL or batch.summary  # else it had stopped while its file was being checked
    _move(batch, (BatchState.PAUSED,), BatchState.RUNNING if checked else BatchState.CHECKING)


@transaction.atomic
def cancel(batch: Batch) -> None:
    """End it where it is. What it has issued or taken back stays so.

    Raises:
        Refused: it is over already.
    """
    _move(batch, UNFINISHED, BatchState.CANCELLED)


def cancel_forgotten(before: datetime) -> int:
    """Cancel batches that have waited since before then for somebody's word: nobody remembers what they were for.

    Returns:
        How many.
    """
    waiting = Batch.objects.filter(state__in=[BatchState.READY, BatchState.PAUSED], created_at__lt=before)
    cancelled = 0
    for batch in waiting.order_by("pk"):
        try:
            cancel(batch)
        except Refused:
            continue  # somebody has remembered just now
        cancelled += 1
    return cancelled


def _move(batch: Batch, allowed: tuple[BatchState, ...], to: BatchState) -> None:
    locked = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if locked.state not in allowed:
        raise Refused(Reason.BATCH_STATE)
    locked.state, locked.problem = to, ""
    now = timezone.now()
    if to in (BatchState.RUNNING, BatchState.CHECKING):
        locked.started_at = locked.started_at or (now if to == BatchState.RUNNING else None)
        batch_wanted.send(Batch, batch=locked)
    elif to == BatchState.CANCELLED:
        locked.finished_at = now
    locked.save(update_fields=["state", "problem", "started_at", "finished_at"])
    batch.state = to
