"""Getting notices out: taking those that are due, sending them side by side, writing down what came of each.

Taking a notice moves its `due_at` on and counts the try, before the network is touched: if the worker dies, the notice
is due again a little later. So it is told at least once, and twice only where a worker died in mid-call.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from integrations.alerts.sending import Outcome, send, type_of
from integrations.alerts.words import Message, message_of
from integrations.models import Notice
from integrations.models.alerts import NoticeEvent, NoticeState

logger = logging.getLogger(__name__)

MOST_TRIES = 6
_SIDE_BY_SIDE = 8
_FIRST_PAUSE = timedelta(seconds=30)  # four times as long after each failure
_LONGEST_PAUSE = timedelta(minutes=30)
_NO_USE_AFTER = timedelta(days=1)

_sending = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Job:
    """A notice that was taken, with all that sending needs, so that the threads keep off the database."""

    notice: Notice
    address: str = field(repr=False)
    message: Message
    kind: Any


def send_due() -> int:
    """Send what is due until nothing is; at most one such round in a process at a time. Returns how many were told."""
    told = 0
    if not _sending.acquire(blocking=False):
        return told  # the round that is running looks again before it ends, and the sweep comes soon
    try:
        while jobs := _take():
            with ThreadPoolExecutor(len(jobs), thread_name_prefix="notices") as pool:
                outcomes = list(pool.map(lambda job: send(job.address, job.message, job.kind), jobs))
            for job, outcome in zip(jobs, outcomes, strict=True):
                told += _settle(job.notice, outcome)
    finally:
        _sending.release()
    return told


@transaction.atomic
def _take() -> list[_Job]:
    """Take the oldest due notice of each of a few targets. Those that nobody will send any more are settled here."""
    now = timezone.now()
    jobs: list[_Job] = []
    for notice in _due(now):
        why_not = _hopeless(notice, now)
        if why_not:
            _close(notice, NoticeState.FAILED, why_not)
        elif len(jobs) < _SIDE_BY_SIDE and all(job.notice.target_id != notice.target_id for job in jobs):
            notice.tries += 1
            notice.due_at = now + _pause(notice.tries)
            notice.save(update_fields=["tries", "due_at"])
            kind = type_of(notice.event, notice.incident.severity)
            jobs.append(_Job(notice, notice.target.address, message_of(notice), kind))
    return jobs


def _due(now: datetime) -> QuerySet[Notice]:
    """Due notices that nobody else is taking; the end of an incident is told after its beginning."""
    beginning = Notice.objects.filter(
        incident=OuterRef("incident"), target=OuterRef("target"), event=NoticeEvent.OPENED, state=NoticeState.QUEUED
    )
    due = Notice.objects.filter(state=NoticeState.QUEUED, due_at__lte=now)
    return (
        due.exclude(Exists(beginning), event=NoticeEvent.CLOSED)
        .select_related("target", "incident__merchant", "incident__account")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("due_at", "pk")[: 10 * _SIDE_BY_SIDE]
    )


def _hopeless(notice: Notice, now: datetime) -> str:
    """Why a notice is not sent, "" if it is."""
    if not notice.target.active:
        return gettext("The target has been switched off.")
    if notice.tries >= MOST_TRIES or notice.created_at < now - _NO_USE_AFTER:
        return notice.outcome or gettext("It could not be sent in time.")
    return ""


@transaction.atomic
def _settle(notice: Notice, outcome: Outcome) -> bool:
    """Write down what came of a try. After a failure the whole target rests for a while."""
    if outcome.taken:
        _close(notice, NoticeState.SENT, outcome.said)
        return True
    logger.warning("A notice to alert target %s was not taken (try %s).", notice.target_id, notice.tries)
    if notice.tries >= MOST_TRIES:
        _close(notice, NoticeState.FAILED, outcome.said)
        return False
    Notice.objects.filter(pk=notice.pk).update(outcome=outcome.said)
    waiting = Notice.objects.filter(target=notice.target_id, state=NoticeState.QUEUED, due_at__lt=notice.due_at)
    waiting.update(due_at=notice.due_at)
    return False


def _close(notice: Notice, state: NoticeState, outcome: str) -> None:
    """Settle a notice, unless it has been settled meanwhile."""
    Notice.objects.filter(pk=notice.pk, state=NoticeState.QUEUED).update(
        state=state, outcome=outcome, settled_at=timezone.now()
    )


def _pause(tries: int) -> timedelta:
    """How long after a try the next may follow; longer than a try can take."""
    taking = timedelta(seconds=2 * settings.NOTICE_TIMEOUT_SECONDS)
    return max(taking, min(_LONGEST_PAUSE, _FIRST_PAUSE * 4 ** (tries - 1)))
