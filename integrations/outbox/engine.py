"""Drives the outbox in one worker process: claims, sends side by side, settles, until nothing is due.

One thread (the one that runs the task) does everything with the database; the pool's threads do nothing but wait for
dfire. So a slow dfire costs threads, never connections or transactions.
"""

import logging
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from integrations.dfire import DfireError
from integrations.outbox import settling
from integrations.outbox.claiming import Job, claim, due_accounts
from integrations.outbox.clients import client_for
from integrations.outbox.settling import Outcome

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25  # while calls are in flight, look for new work this often even if nobody rings
_RECOVER_SECONDS = 5.0


@dataclass(slots=True)
class _Engine:
    """The state of one process: at most one drain at a time; further doorbells only wake it."""

    drain_lock: threading.Lock = field(default_factory=threading.Lock)
    finished: "queue.SimpleQueue[tuple[Job, Outcome] | None]" = field(default_factory=queue.SimpleQueue)
    pool: ThreadPoolExecutor | None = None
    in_flight: int = 0  # handed to the pool and not taken from `finished` yet; survives a drain that failed
    recovered_at: float = -_RECOVER_SECONDS


_engine = _Engine()


def drain() -> int:
    """Work the outbox until nothing is due. A second call in the same process wakes the first and returns.

    Returns:
        How many calls were made.
    """
    if not _engine.drain_lock.acquire(blocking=False):
        _engine.finished.put(None)
        return 0
    try:
        return _drain()
    finally:
        _engine.drain_lock.release()


def _drain() -> int:
    pool = _engine.pool
    if pool is None:
        pool = _engine.pool = ThreadPoolExecutor(settings.OUTBOX_THREADS, thread_name_prefix="outbox")
    made = 0
    while True:
        close_old_connections()
        _recover_now_and_then()
        made += _begin(pool, settings.OUTBOX_THREADS - _engine.in_flight)
        if not _engine.in_flight:
            return made
        _settle_finished()


def _begin(pool: ThreadPoolExecutor, free: int) -> int:
    """Claim what is due and hand it to the pool; accounts share the free threads."""
    began = 0
    while free > 0:
        due = due_accounts()
        progress = 0
        for account_id in due:
            jobs, standing = claim(account_id, max(1, min(free, settings.OUTBOX_THREADS // len(due))))
            for verdict in standing:
                settling.settle_standing(verdict)
            for job in jobs:
                _engine.in_flight += 1
                pool.submit(_perform, job)
            began += len(jobs)
            free -= len(jobs)
            progress += len(jobs) + len(standing)
            if free <= 0:
                break
        if not progress:
            break
    return began


def _perform(job: Job) -> None:
    """Make the call, at its slot. Runs in the pool: no database here."""
    time.sleep(max(0.0, (job.start_at - timezone.now()).total_seconds()))
    try:
        reply = job.call.run(client_for(job.account))
        outcome = Outcome(reply.exchange, value=reply.value)
    except DfireError as error:
        outcome = Outcome(error.exchange, error=error)
    except Exception as error:  # a fault of ours must not take the row's lease with it
        logger.exception(
            "The call %s of outbox row %s broke before it was sent.", job.call.method, job.row_id
        )
        outcome = Outcome(None, broken=f"{type(error).__name__}: {error}")
    _engine.finished.put((job, outcome))


def _settle_finished() -> None:
    """Wait a moment for results and settle all that are there."""
    try:
        item = _engine.finished.get(timeout=_LOOK_SECONDS)
        while True:
            if item is not None:
                _engine.in_flight -= 1
                _settle(*item)
            if not _engine.in_flight:
                return
            item = _engine.finished.get_nowait()
    except queue.Empty:
        return


def _settle(job: Job, outcome: Outcome) -> None:
    """Settle one result. A fault in it concerns this row alone: its lease runs out and it is asked about."""
    try:
        settling.settle(job, outcome)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("The result of outbox row %s could not be settled.", job.row_id)


def _recover_now_and_then() -> None:
    if time.monotonic() - _engine.recovered_at >= _RECOVER_SECONDS:
        _engine.recovered_at = time.monotonic()
        if lost := settling.recover_lost():
            logger.warning("%s outbox rows came back from workers that died.", lost)
