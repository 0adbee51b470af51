"""Drives the outbox in one worker process: claims, sends side by side, settles, until nothing is due.

One thread (the one that runs the task) does everything with the database; the pool's threads do nothing but wait for
dfire. So a slow dfire costs threads, never connections or transactions. Where dfire answers fast, a thread is given a
few rows in a row (`claiming`), and their results are settled together.
"""

import logging
import queue
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from integrations.outbox import settling
from integrations.outbox.calling import Outcome
from integrations.outbox.claiming import Job, claim
from integrations.outbox.picking import due_accounts
from integrations.outbox.places import Place
from integrations.outbox.together import Finished, is_plain, settle_together

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25  # while calls are in flight, look for new work this often even if nobody rings
_RECOVER_SECONDS = 5.0
_PLACE_SECONDS = 0.3  # so much may wait ahead of a place: what is urgent waits no longer for it
_MOST_IN_A_ROW = 16
_GATHER_SECONDS = 0.02  # results of rows in a row are gathered so long: no place waits for them


@dataclass(slots=True)
class _Engine:
    """The state of one process: at most one drain at a time; further doorbells only wake it."""

    drain_lock: threading.Lock = field(default_factory=threading.Lock)
    rung: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)
    finished: "queue.SimpleQueue[tuple[Job, Outcome] | None]" = field(default_factory=queue.SimpleQueue)
    pool: ThreadPoolExecutor | None = None
    # By account: places handed to the pool and not settled yet. Survives a drain that failed; the next one settles them.
    in_flight: Counter[int] = field(default_factory=Counter)
    places: dict[uuid.UUID, Place] = field(default_factory=dict)  # by their leases
    seconds: dict[int, float] = field(default_factory=dict)  # by account: how fast dfire answers, while all goes well
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
    for place in list(_engine.places.values()):
        place.give_back()
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
    while again and not _engine.ending.is_set():
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
    share, in_a_row = max(0, min(share, _free())), _in_a_row(account_id)
    room = _room(account_id, in_a_row) if in_a_row > 1 else {}
    if not share and not room:
        return 0, False, False
    try:
        claimed = claim(account_id, share, in_a_row=in_a_row, room=room)
    except settling.DATABASE_AWAY:
        raise
    except Exception:  # a secret that cannot be read, say: the other accounts go on
        logger.exception("Nothing can be claimed for dfire account %s.", account_id)
        return 0, False, False
    begun = 0
    for token, jobs in claimed.places().items():
        if token not in _engine.places:
            begun += 1
            _engine.in_flight[account_id] += 1
            _engine.places[token] = Place(token, account_id, _finish)
        _engine.places[token].give(jobs, _pool())
    moved = [settling.settle_standing(standing) for standing in claimed.standing]
    return len(claimed.jobs), 0 < share == begun or any(moved), claimed.paced


def _room(account_id: int, in_a_row: int) -> dict[uuid.UUID, int]:
    places = [place for place in _engine.places.values() if place.account_id == account_id]
    return {place.token: room for place in places if (room := place.room(in_a_row))}


def _finish(job: Job, outcome: Outcome) -> None:
    _engine.finished.put((job, outcome))


def _in_a_row(account_id: int) -> int:
    """How many rows a place of the account may be given: as many as are answered in a moment, by what was seen."""
    seconds = _engine.seconds.get(account_id)
    return max(1, min(_MOST_IN_A_ROW, int(_PLACE_SECONDS / max(seconds, 0.001)))) if seconds else 1


def _pool() -> ThreadPoolExecutor:
    if _engine.pool is None:
        _engine.pool = ThreadPoolExecutor(settings.OUTBOX_THREADS, thread_name_prefix="outbox")
    return _engine.pool


def _settle_finished() -> None:
    """Wait a moment for results and settle all that are there."""
    finished: list[Finished] = []
    with suppress(queue.Empty):
        item = _engine.finished.get(timeout=_LOOK_SECONDS)
        if any(place.unsettled > 1 for place in _engine.places.values()):
            time.sleep(_GATHER_SECONDS)
        while True:
            if item is not None:
                finished.append(item)
            item = _engine.finished.get_nowait()
    _settle_all(finished)


def _settle_all(finished: list[Finished]) -> None:
    """Settle these results, what went as it should together; they are kept for the next drain if the database is away."""
    plain = [one for one in finished if is_plain(*one)]
    singly = [one for one in finished if not is_plain(*one)]
    if len(plain) > 1:
        try:
            late = settle_together(plain)
        except settling.DATABASE_AWAY:
            _keep(finished)
            raise
        except Exception:
            logger.exception("%s results could not be settled together, and are one by one.", len(plain))
            late = plain
        singly += late
        left = {job.attempt_id for job, _ in late}
        _let_go([one for one in plain if one[0].attempt_id not in left])
    else:
        singly += plain
    while singly:
        try:
            _settle(*singly[-1])
        except settling.DATABASE_AWAY:
            _keep(singly)
            raise
        _let_go([singly.pop()])


def _settle(job: Job, outcome: Outcome) -> None:
    """Settle one result. A fault in it concerns this row alone: its lease runs out and it is asked about."""
    try:
        with bound_contextvars(**job.ids()):
            settling.settle(job, outcome)
    except settling.DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("The result of outbox row %s could not be settled.", job.row_id)


def _keep(finished: list[Finished]) -> None:
    for one in finished:
        _engine.finished.put(one)


def _let_go(settled: list[Finished]) -> None:
    """These are settled: a place is free once its last row is, and how fast dfire answers is known."""
    for job, outcome in settled:
        account_id, place = job.account.pk, _engine.places[job.token]
        place.unsettled -= 1
        if not place.unsettled:
            del _engine.places[job.token]
            _engine.in_flight[account_id] -= 1
        if outcome.well and outcome.exchange is not None:
            seconds = outcome.exchange.duration_ms / 1000
            known = _engine.seconds.get(account_id, seconds)
            _engine.seconds[account_id] = max(0.001, known + (seconds - known) / 10)
        else:
            _engine.seconds.pop(account_id, None)


def _recover_now_and_then() -> None:
    if time.monotonic() - _engine.recovered_at >= _RECOVER_SECONDS:
        _engine.recovered_at = time.monotonic()
        if lost := settling.recover_lost():
            logger.warning("%s outbox rows came back from workers that died.", lost)
