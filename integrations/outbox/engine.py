"""Drives the outbox in one worker process: claims, sends side by side, settles, until nothing is due.

One thread (the one that runs the task) does everything with the database; the pool's threads do nothing but wait for
dfire. So a slow dfire costs threads, never connections or transactions.
"""

import logging
import queue
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field

from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from integrations.outbox import settling
from integrations.outbox.calling import Outcome, perform
from integrations.outbox.claiming import Job, claim
from integrations.outbox.picking import due_accounts

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25  # while calls are in flight, look for new work this often even if nobody rings
_RECOVER_SECONDS = 5.0


@dataclass(slots=True)
class _Engine:
    """The state of one process: at most one drain at a time; further doorbells only wake it."""

    drain_lock: threading.Lock = field(default_factory=threading.Lock)
    rung: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)
    finished: "queue.SimpleQueue[tuple[Job, Outcome] | None]" = field(default_factory=queue.SimpleQueue)
    pool: ThreadPoolExecutor | None = None
    # By account: handed to the pool and not settled yet. Survives a drain that failed; the next one settles them.
    in_flight: Counter[int] = field(default_factory=Counter)
    recovered_at: float = -_RECOVER_SECONDS


_engine = _Engine()


def drain() -> int:
    """Work the outbox until nothing is due. A second call in the same process wakes the first and returns.

    Ends early, with a line in the log, when the database goes away; what is in flight then is settled by the next
    drain, or comes back when its lease runs out.

    Returns:
        How many calls were made.
    """
    made = 0
    _engine.rung.set()
    _engine.finished.put(None)
    while _engine.rung.is_set() and _engine.drain_lock.acquire(blocking=False):
        try:
            _engine.rung.clear()  # who rings from here on is heard by this round or makes another
            made += _drain()
        except settling.DATABASE_AWAY as error:
            logger.warning("The database went away; the next drain goes on. %s", error)
        finally:
            _engine.drain_lock.release()
    return made


@worker_shutting_down.connect
def wind_down(**kwargs: object) -> None:
    """Begin nothing more in this process; a drain that is running settles what is in flight and returns."""
    _engine.ending.set()
    _engine.finished.put(None)


def _drain() -> int:
    made = 0
    while True:
        close_old_connections()
        _recover_now_and_then()
        began, paced = _begin()
        made += began
        if not _engine.in_flight.total() and (not paced or _engine.ending.is_set()):
            return made
        _settle_finished()


def _begin() -> tuple[int, bool]:
    """Claim what is due and hand it to the pool.

    Returns:
        How many calls were begun, and whether more are due that only their account's rate holds back.
    """
    began, paced, again = 0, False, True
    while again and _free() > 0 and not _engine.ending.is_set():
        again = False
        for account_id, share in _shares():
            made, full, held = _begin_for(account_id, share)
            began += made
            again = again or full
            paced = paced or held
    return began, paced


def _free() -> int:
    return int(settings.OUTBOX_THREADS) - _engine.in_flight.total()


def _shares() -> list[tuple[int, int]]:
    """The due accounts with the threads each may take now, those first that have the fewest.

    However slow its dfire is, no account gets the last quarter of the threads: the others go on.
    """
    due = sorted(due_accounts(timezone.now()), key=lambda pk: (_engine.in_flight[pk], random.random()))  # nosec B311 # spreads load, no secret
    most = max(1, settings.OUTBOX_THREADS * 3 // 4)
    even = max(1, _free() // max(1, len(due)))
    return [(pk, min(even, most - _engine.in_flight[pk])) for pk in due]


def _begin_for(account_id: int, share: int) -> tuple[int, bool, bool]:
    """Claim for one account: how many calls were begun, whether there may be more, whether the rate holds it back."""
    share = min(share, _free())
    if share <= 0:
        return 0, False, False
    try:
        claimed = claim(account_id, share)
    except settling.DATABASE_AWAY:
        raise
    except Exception:  # a secret that cannot be read, say: the other accounts go on
        logger.exception("Nothing can be claimed for dfire account %s.", account_id)
        return 0, False, False
    for job in claimed.jobs:
        _engine.in_flight[account_id] += 1
        _pool().submit(copy_context().run, _perform, job)  # the task's id goes along into the log
    moved = [settling.settle_standing(standing) for standing in claimed.standing]
    return len(claimed.jobs), len(claimed.jobs) == share or any(moved), claimed.paced


def _pool() -> ThreadPoolExecutor:
    if _engine.pool is None:
        _engine.pool = ThreadPoolExecutor(settings.OUTBOX_THREADS, thread_name_prefix="outbox")
    return _engine.pool


def _perform(job: Job) -> None:
    with bound_contextvars(**job.ids()):
        _engine.finished.put((job, perform(job)))


def _settle_finished() -> None:
    """Wait a moment for results and settle all that are there."""
    try:
        item = _engine.finished.get(timeout=_LOOK_SECONDS)
        while True:
            if item is not None:
                _settle(*item)
            item = _engine.finished.get_nowait()
    except queue.Empty:
        return


def _settle(job: Job, outcome: Outcome) -> None:
    """Settle one result; it is kept for the next drain if the database is away.

    Any other fault in it concerns this row alone: its lease runs out and it is asked about.
    """
    try:
        with bound_contextvars(**job.ids()):
            settling.settle(job, outcome)
    except settling.DATABASE_AWAY:
        _engine.finished.put((job, outcome))
        raise
    except Exception:
        logger.exception("The result of outbox row %s could not be settled.", job.row_id)
    _engine.in_flight[job.account.pk] -= 1


def _recover_now_and_then() -> None:
    if time.monotonic() - _engine.recovered_at >= _RECOVER_SECONDS:
        _engine.recovered_at = time.monotonic()
        if lost := settling.recover_lost():
            logger.warning("%s outbox rows came back from workers that died.", lost)
