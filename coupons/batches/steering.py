"""What staff say to a batch. It takes effect between two slices: the row is locked while one is worked."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from coupons.approvals import lapsing, limits
from coupons.approvals.states import state_of
from coupons.choices import BatchKind, BatchState
from coupons.errors import Reason, Refused
from coupons.models import Batch, CouponTemplate
from coupons.signals import batch_wanted

UNFINISHED = (BatchState.CHECKING, BatchState.READY, BatchState.RUNNING, BatchState.PAUSED)


@transaction.atomic
def start(batch: Batch, *, by: Any = None, approved: bool = False) -> None:
    """Yes: issue to everyone whom the check found good.

    Args:
        by: the user who says it.
        approved: a second person has said yes to it.

    Raises:
        Refused: it has been started or cancelled meanwhile.
        NeedsApproval: it is above what one may do alone.
    """
    locked = _locked(batch, (BatchState.READY,))
    _account_for(locked, by=by, approved=approved)
    _move(locked, BatchState.RUNNING)
    batch.state = locked.state


@transaction.atomic
def pause(batch: Batch) -> None:
    """Hold it where it is.

    Raises:
        Refused: it does not run.
    """
    locked = _locked(batch, (BatchState.RUNNING,))
    _move(locked, BatchState.PAUSED)
    batch.state = locked.state


@transaction.atomic
def resume(batch: Batch, *, by: Any = None, approved: bool = False) -> None:
    """Go on where it was held, or where it had stopped by itself. `by` and `approved` as in `start`.

    Raises:
        Refused: it is not paused.
        NeedsApproval: its coupons promise more by now, and what is left of it is above what one may do alone.
    """
    locked = _locked(batch, (BatchState.PAUSED,))
    checked = locked.kind == BatchKind.RECALL or locked.summary  # else it had stopped while its file was being checked
    if locked.kind == BatchKind.ISSUE and checked and _rose(locked):
        _account_for(locked, by=by, approved=approved)
    _move(locked, BatchState.RUNNING if checked else BatchState.CHECKING)
    batch.state = locked.state


@transaction.atomic
def cancel(batch: Batch) -> None:
    """End it where it is. What it has issued or taken back stays so.

    Raises:
        Refused: it is over already.
    """
    locked = _locked(batch, UNFINISHED)
    _move(locked, BatchState.CANCELLED)
    lapsing.let_go(batch=locked)
    batch.state = locked.state


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


def needed(batch: Batch, *, by: Any = None) -> limits.Need | None:
    """Whether `by` needs a second person to start or resume the batch, as far as can be seen without locks."""
    startable = batch.state == BatchState.READY and batch.total
    if batch.kind != BatchKind.ISSUE or not (startable or (batch.state == BatchState.PAUSED and _rose(batch))):
        return None
    left = left_of(batch)
    worth = limits.worth_of(batch.template, left)
    return limits.many(batch.template, coupons=left, value_fen=worth, gives=True, by=by)


def left_of(batch: Batch) -> int:
    """How many coupons an issuing batch has still to give out."""
    return max(0, batch.total - batch.done - batch.refused)


def _account_for(batch: Batch, *, by: Any, approved: bool) -> None:
    """Ask whether one may do this alone, and keep what a coupon promises at this moment: more of it stops the batch."""
    template = CouponTemplate.objects.select_for_update(no_key=True).get(pk=batch.template_id)
    if not approved:
        left = left_of(batch)
        limits.stand_alone(template, coupons=left, value_fen=limits.worth_of(template, left), gives=True, by=by)
    batch.summary = {**batch.summary, "worth": state_of(template)}
    batch.save(update_fields=["summary"])


def _rose(batch: Batch) -> bool:
    worth = batch.summary.get("worth") if batch.summary else None
    return worth is not None and limits.rose(worth, CouponTemplate.objects.get(pk=batch.template_id))


def _locked(batch: Batch, allowed: tuple[BatchState, ...]) -> Batch:
    locked = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if locked.state not in allowed:
        raise Refused(Reason.BATCH_STATE)
    return locked


def _move(locked: Batch, to: BatchState) -> None:
    locked.state, locked.problem = to, ""
    now = timezone.now()
    if to in (BatchState.RUNNING, BatchState.CHECKING):
        locked.started_at = locked.started_at or (now if to == BatchState.RUNNING else None)
        batch_wanted.send(Batch, batch=locked)
    elif to == BatchState.CANCELLED:
        locked.finished_at = now
    locked.save(update_fields=["state", "problem", "started_at", "finished_at"])
