"""Works one run for a turn: loads pages ahead, keeps questions in flight, writes complete pages down in their order.

The thread that runs the task does everything with the database. A turn is short, so that merchants take turns and a
worker can stop; what was read and not written down is read again.
"""

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import Any

from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from integrations.dfire import ConfigurationError, RetryableError, UncertainError
from integrations.models import Reconciliation
from integrations.models.reconcile import RunStage, RunState
from integrations.outbox import pace
from integrations.outbox.settling import DATABASE_AWAY
from integrations.reconcile import deciding, planning, runs
from integrations.reconcile.pages import Page, customers_page, promotions_page
from integrations.reconcile.reading import Answer, Question, Reader, note_answers
from integrations.reconcile.targets import stage_after

logger = logging.getLogger(__name__)

_PAGES_AHEAD = 3
_FAILURES_IN_A_ROW = 8  # of different calls: it is dfire, not one list
_TRIES_OF_ONE = 5
_RENEW = timedelta(seconds=15)
_LOOK_SECONDS = 0.1
_STALLED_SECONDS = 10.0  # without a call or an answer: the account has no room, and other merchants' may have

_ending = threading.Event()
_working = threading.Lock()


class _Stop(Exception):
    """The turn ends here; what is to become of the run has been written down."""


@worker_shutting_down.connect
def wind_down(**kwargs: object) -> None:
    """Begin nothing more in this process."""
    _ending.set()


def work_all() -> None:
    """Work whatever run is due, one turn after another; a second call in the same process returns at once."""
    if not _working.acquire(blocking=False):
        return
    try:
        while not _ending.is_set() and (run := runs.claim()) is not None:
            work(run)
            close_old_connections()
    except DATABASE_AWAY as error:
        logger.warning("The database went away; the run goes on when its lease has run out. %s", error)
    finally:
        _working.release()


def work(run: Reconciliation) -> None:
    """Work a claimed run for a turn."""
    account = run.merchant.dfire_account
    if account is None:
        runs.fail(run, "not_connected")
        return
    reader = Reader(account)
    try:
        _Turn(run, reader).take()
    except _Stop:
        pass
    except DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("Reconciliation %s broke.", run.pk)
        runs.fail(run, "our_fault")
    finally:
        with suppress(*DATABASE_AWAY):  # what is left there is void when the calls' time is over
            reader.close()


class _Turn:
    """The state of one turn."""

    def __init__(self, run: Reconciliation, reader: Reader) -> None:
        self.run, self.reader = run, reader
        self.pages: deque[Page] = deque()
        self.waiting: deque[Question] = deque()
        self.loaded: tuple[str, int] = (run.stage, run.cursor)  # up to where pages have been loaded
        self.exhausted = False
        self.failures = 0
        self.ends_at = time.monotonic() + settings.RECONCILE_TURN_SECONDS
        self.renewed_at = timezone.now()
        self.moved_at = time.monotonic()

    def take(self) -> None:
        """Go on until the turn or the run is over."""
        while True:
            over = _ending.is_set() or time.monotonic() >= self.ends_at
            if not over:
                self._load()
            if not self.pages:
                break
            if not _ending.is_set():
                self.reader.ask(self.waiting)
            for answer in self._answers():
                self._take_in(answer)
            self._write_complete()
            self._renew()
            if not self.reader.in_flight and (_ending.is_set() or self._stalled()):
                break
        if self.exhausted and not self.pages:
            _finish(self.run)
        else:
            runs.release(self.run)

    def _load(self) -> None:
        """Have the next pages ready, so that the end of one does not leave calls unused."""
        while not self.exhausted and len(self.pages) < _PAGES_AHEAD and len(self.waiting) < self.reader.at_once:
            stage, after = self.loaded
            if stage == RunStage.PROMOTIONS:
                if not self.pages:
                    self._add(promotions_page(self.run))
                return  # who is at risk is noted with it
            page = customers_page(self.run, stage, after)
            if page is not None:
                self._add(page)
                self.loaded = (stage, page.last)
            elif (following := stage_after(self.run, stage)) is not None:
                self.loaded = (following, 0)
            else:
                self.exhausted = True

    def _add(self, page: Page) -> None:
        self.pages.append(page)
        self.waiting.extend(page.questions)

    def _answers(self) -> list[Answer]:
        if not self.reader.waits(self.waiting) and not self.reader.in_flight:
            return []  # pages without a question
        answers = self.reader.answers(_LOOK_SECONDS)
        if answers or self.reader.in_flight:
            self.moved_at = time.monotonic()
        note_answers(self.reader.account, answers)
        return answers

    def _take_in(self, answer: Answer) -> None:
        error, page = answer.error, answer.question.page
        if answer.broken:
            raise RuntimeError(answer.broken)
        if isinstance(error, ConfigurationError):
            pace.stop(self.reader.account.pk, error, timezone.now())
            runs.fail(self.run, f"{error.code} {error.message}".strip())
            raise _Stop
        if error is None:
            self.failures = 0
            page.answers.append(answer)
        elif isinstance(error, RetryableError | UncertainError):
            self._once_more(answer)
        elif page.stage == RunStage.PROMOTIONS:
            runs.fail(self.run, f"{error.code} {error.message}".strip())
            raise _Stop
        else:
            page.refused += 1

    def _once_more(self, answer: Answer) -> None:
        question, page = answer.question, answer.question.page
        question.tries += 1
        self.failures += 1
        if self.failures >= _FAILURES_IN_A_ROW or (
            page.stage == RunStage.PROMOTIONS and question.tries >= _TRIES_OF_ONE
        ):
            runs.back_off(self.run, answer.error.message if answer.error else "")
            raise _Stop
        if question.tries >= _TRIES_OF_ONE:
            page.refused += 1  # this one list cannot be had
        else:
            self.waiting.append(question)

    def _write_complete(self) -> None:
        while self.pages and self.pages[0].complete:
            page = self.pages.popleft()
            if not planning.write(self.run, page):
                raise _Stop  # cancelled, or taken for dead
            self.renewed_at = timezone.now()
            if page.stage == RunStage.PROMOTIONS:
                self.loaded = (RunStage.AT_RISK, 0)

    def _stalled(self) -> bool:
        return self.reader.waits(self.waiting) and time.monotonic() - self.moved_at > _STALLED_SECONDS

    def _renew(self) -> None:
        if timezone.now() - self.renewed_at < _RENEW:
            return
        if not runs.keep(self.run):
            raise _Stop
        self.renewed_at = timezone.now()


def _finish(run: Reconciliation) -> Any:
    state = runs.finish(run)
    if state == RunState.PLANNED and run.started_by_id is None:
        deciding.repair_safe(run)
