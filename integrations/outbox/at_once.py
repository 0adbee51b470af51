"""Working one row for a request that waits for it: the same lease, limits and settling as a worker's.

A thread of a small pool of this process does the work, because a call to dfire may last longer than the request may
wait; what it brings is settled in any case. A worker may be faster, or take over: the lease decides.
"""

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import settling
from integrations.outbox.calling import perform
from integrations.outbox.claiming import Claimed, claim_this
from integrations.places import PLACES

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.05
_pool: ThreadPoolExecutor | None = None


def work(row_id: int, *, seconds: float) -> None:
    """Wait until the row is settled, at most so long, and work on it meanwhile. Not inside a transaction.

    Where too many requests wait for dfire already it does not wait: a worker will do it.
    """
    if not PLACES.take():
        return
    try:
        end = time.monotonic() + seconds
        working = _threads().submit(copy_context().run, _work, row_id, end)
        if not wait([working], timeout=seconds).done:
            working.cancel()  # where it has not begun, because calls that nobody waits for any more hold the threads
    finally:
        PLACES.give_back()


def _work(row_id: int, end: float) -> None:
    try:
        while (left := end - time.monotonic()) > 0 and _is_due_within(row_id, left):
            claimed = claim_this(row_id)
            if claimed is None:
                return
            if not _act(claimed):
                time.sleep(_LOOK_SECONDS)
    except settling.DATABASE_AWAY as error:
        logger.warning("The database went away; a worker goes on with outbox row %s. %s", row_id, error)
    except Exception:
        logger.exception("Outbox row %s could not be worked at once; a worker goes on with it.", row_id)
    finally:
        connection.close()


def _is_due_within(row_id: int, seconds: float) -> bool:
    """Whether something can still come of the row in this time."""
    soon = timezone.now() + timedelta(seconds=seconds)
    due = Q(state=RowState.SENDING) | Q(state=RowState.QUEUED, available_at__lte=soon)
    return OutboxRow.objects.filter(due, pk=row_id).exists()


def _act(claimed: Claimed) -> bool:
    """Make the call that was claimed, or settle that none is needed. Returns whether anything was done."""
    for job in claimed.jobs:
        with bound_contextvars(**job.ids()):
            settling.settle(job, perform(job))
    moved = [settling.settle_standing(standing) for standing in claimed.standing]
    return bool(claimed.jobs) or any(moved)


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(2 * settings.PUSH_CONFIRM_AT_ONCE, thread_name_prefix="at-once")
    return _pool


def _after_fork() -> None:
    global _pool
    _pool = None  # threads do not survive a fork


os.register_at_fork(after_in_child=_after_fork)
