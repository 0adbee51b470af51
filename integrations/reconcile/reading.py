"""Asking dfire for a run: many questions at a time, in threads that touch no database, within the account's limits.

Each question takes its slot where the outbox's calls take theirs (`integrations.outbox.pace`), after them.
"""

import logging
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
        self._pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="reconcile")
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._yielded = False

    def ask(self, waiting: deque[Question]) -> None:
        """Send as many of the waiting questions as the account's limits allow now, some together where they can."""
        wanted = min(len(waiting), self.at_once - self.in_flight)
        if wanted <= 0 or (self.in_flight and wanted < min(len(waiting), self.at_once // _TOGETHER)):
            return
        slots = pace.take_reads(self.account.pk, self._token, wanted=wanted, in_flight=self.in_flight)
        for start_at in slots.starts:
            self.in_flight += 1
            self._pool.submit(self._perform, waiting.popleft(), start_at)
        if slots.yielding and not self._yielded:
            doorbell.ring()  # who found no room beside these reads finds it now
        self._yielded = slots.yielding

    def answers(self, seconds: float) -> list[Answer]:
        """The answers that are there, after waiting so long for the first."""
        found: list[Answer] = []
        try:
            found.append(self._answers.get(timeout=seconds))
            while True:
                found.append(self._answers.get_nowait())
        except queue.Empty:
            self.in_flight -= len(found)
            return found

    def close(self) -> None:
        """Wait for what is in flight, and give the slots back."""
        self._pool.shutdown(wait=True)
        pace.end_reads(self._token)

    def _perform(self, question: Question, start_at: datetime) -> None:
        time.sleep(max(0.0, (start_at - timezone.now()).total_seconds()))
        asked_at = timezone.now()
        try:
            self._answers.put(Answer(question, asked_at, rows=question.ask(client_for(self.account)).value))
        except DfireError as error:
            self._answers.put(Answer(question, asked_at, error=error))
        except ValueError as error:
            mend = ConfigurationError(f"The account cannot be used: {error}")
            self._answers.put(Answer(question, asked_at, error=mend))
        except Exception as error:
            logger.exception("A question to dfire account %s broke.", self.account.pk)
            self._answers.put(Answer(question, asked_at, broken=f"{type(error).__name__}: {error}"))


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
