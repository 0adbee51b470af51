"""Asking dfire for a run: many questions at a time, in threads that touch no database, within the account's limits.

Each question takes its slot where the outbox's calls take theirs (`integrations.outbox.pace`), after them. Where
nothing but its calls in flight limits the account, a thread that has its answer goes on with the next question for a
moment.
"""

import logging
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from integrations.dfire import ConfigurationError, DfireClient, DfireError, Reply, RetryableError
from integrations.outbox import doorbell, pace
from integrations.outbox.clients import client_for
from merchants.models import DfireAccount, Merchant

logger = logging.getLogger(__name__)

_AHEAD = 8  # questions for each call in flight, to go on with
_RENEW_SECONDS = 0.06  # so long before its end the right to go on is asked for anew
_GATHER_SECONDS = 0.02
_TOGETHER = 5  # a fifth of the calls is taken at once: each taking is a transaction under the account's lock


@dataclass(slots=True, eq=False)
class Question:
    """One list to read: the promotions of a merchant, or one customer's coupons under one identity."""

    ask: Callable[[DfireClient], Reply[Any]]
    customer_id: int = 0
    appid: str = ""
    openid: str = ""
    tries: int = 0
    page: Any = None  # the page it belongs to


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question brought: rows, or dfire's error, or a fault of ours. `asked_at` is from before it was sent."""

    question: Question
    asked_at: datetime
    rows: list[Any] | None = None
    error: DfireError | None = None
    broken: str = ""


def promotions_of(merchant: Merchant) -> Question:
    """The question for a merchant's promotions."""
    entity_id, plate_entity_id = merchant.entity_id, merchant.plate_entity_id
    return Question(lambda client: client.query_promotions(entity_id=entity_id, plate_entity_id=plate_entity_id))


def coupons_of(merchant: Merchant, *, customer_id: int, appid: str, openid: str) -> Question:
    """The question for a customer's coupons, as of today's Shanghai date."""
    entity_id, plate_entity_id = merchant.entity_id, merchant.plate_entity_id
    return Question(
        lambda client: client.query_customer_promotions(
            entity_id=entity_id, plate_entity_id=plate_entity_id, appid=appid, openid=openid
        ),
        customer_id=customer_id,
        appid=appid,
        openid=openid,
    )


class Reader:
    """The questions of one run in flight."""

    def __init__(self, account: DfireAccount) -> None:
        self.account = account
        self.at_once = min(account.max_concurrency, settings.RECONCILE_THREADS)
        self.in_flight = 0
        self._token = uuid.uuid4()
        self._places = 0  # threads that ask: what counts for the account
        self._freely_until = 0.0  # on the monotonic clock
        self._ahead: deque[Question] = deque()
        self._counting = threading.Lock()
        self._pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="reconcile")
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._yielded = False

    def ask(self, waiting: deque[Question]) -> None:
        """Send as many of the waiting questions as the account's limits allow now, some together where they can."""
        now = time.monotonic()
        places = self._places
        wanted = min(len(waiting) + len(self._ahead), self.at_once - places)
        due_again = self._freely_until and self.waits(waiting) and self._freely_until - now < _RENEW_SECONDS
        few = wanted <= 0 or (places and wanted < min(len(waiting), self.at_once // _TOGETHER))
        if not few or due_again:
            slots = pace.take_reads(self.account.pk, self._token, wanted=max(0, wanted), in_flight=places)
            self._freely_until = now + pace.READ_HORIZON.total_seconds() if slots.freely else 0.0
            for start_at in slots.starts:
                if (question := self._first_ahead() or (waiting.popleft() if waiting else None)) is not None:
                    self._begin(question, start_at)
            while not slots.freely and (left := self._first_ahead()) is not None:
                waiting.appendleft(left)
            if slots.yielding and not self._yielded:
                doorbell.ring()  # who found no room beside these reads finds it now
            self._yielded = slots.yielding
        while self._freely_until and waiting and len(self._ahead) < self.at_once * _AHEAD:
            self._ahead.append(waiting.popleft())

    def waits(self, waiting: deque[Question]) -> bool:
        """Whether there are questions that nobody has asked yet."""
        return bool(waiting or self._ahead)

    def answers(self, seconds: float) -> list[Answer]:
        """The answers that are there, after waiting so long for the first."""
        found: list[Answer] = []
        with suppress(queue.Empty):
            found.append(self._answers.get(timeout=seconds))
            if self._freely_until:
                time.sleep(_GATHER_SECONDS)  # nobody waits for them
            while True:
                found.append(self._answers.get_nowait())
        self._count(calls=-len(found))
        return found

    def _begin(self, question: Question, start_at: datetime) -> None:
        self._count(calls=1, places=1)
        self._pool.submit(self._perform, question, start_at)

    def _count(self, *, calls: int = 0, places: int = 0) -> None:
        with self._counting:
            self.in_flight += calls
            self._places += places

    def _first_ahead(self) -> Question | None:
        with self._counting:
            return self._ahead.popleft() if self._ahead else None

    def _next(self) -> Question | None:
        """The next question for a thread that has its answer, or None, and the thread counts no more."""
        with self._counting:
            if self._ahead and time.monotonic() < self._freely_until:
                self.in_flight += 1
                return self._ahead.popleft()
            self._places -= 1
            return None

    def close(self) -> None:
        """Wait for what is in flight, begin nothing more, and give the slots back."""
        self._freely_until = 0.0
        self._pool.shutdown(wait=True)
        pace.end_reads(self._token)

    def _perform(self, first: Question, start_at: datetime) -> None:
        time.sleep(max(0.0, (start_at - timezone.now()).total_seconds()))
        question: Question | None = first
        while question is not None:
            self._answers.put(self._asked(question))
            question = self._next()

    def _asked(self, question: Question) -> Answer:
        asked_at = timezone.now()
        try:
            return Answer(question, asked_at, rows=question.ask(client_for(self.account)).value)
        except DfireError as error:
            return Answer(question, asked_at, error=error)
        except ValueError as error:
            return Answer(question, asked_at, error=ConfigurationError(f"The account cannot be used: {error}"))
        except Exception as error:
            logger.exception("A question to dfire account %s broke.", self.account.pk)
            return Answer(question, asked_at, broken=f"{type(error).__name__}: {error}")


def note_answers(account: DfireAccount, answers: list[Answer]) -> None:
    """Keep the account's state true, as settled calls of the outbox do: it answers, or wants fewer calls."""
    now = timezone.now()
    spoken = [answer.asked_at for answer in answers if _said_something(answer)]
    if spoken:
        pace.answered(account.pk, max(spoken), now)
    if any(isinstance(answer.error, RetryableError) and answer.error.slow_down for answer in answers):
        pace.slow_down(account.pk, now)


def _said_something(answer: Answer) -> bool:
    if answer.error is None:
        return not answer.broken
    return bool(answer.error.code) and not isinstance(answer.error, ConfigurationError)
