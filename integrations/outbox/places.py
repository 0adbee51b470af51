"""A place is one call in flight of an account's limit: a thread that works the rows it is given, one after another.

Its rows share a lease, by which places are counted across all workers. Where dfire answers fast a place is given more
rows before it has worked off the last, so that nobody waits for the database between two calls.
"""

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from structlog.contextvars import bound_contextvars

from integrations.outbox.calling import GIVEN_BACK, Outcome, perform
from integrations.outbox.claiming import Job

LIFETIME_SECONDS = 1.0  # then it is given up, so that others (readers, other workers) may have it
_SLOW_SECONDS = 1.0  # a call that took so long is no reason to keep rows waiting behind the next


class Place:
    """The rows of one lease in this process."""

    def __init__(self, token: uuid.UUID, account_id: int, finish: Callable[[Job, Outcome], None]) -> None:
        self.token, self.account_id = token, account_id
        self.unsettled = 0
        self._finish = finish
        self._born_at = time.monotonic()
        self._jobs: deque[Job] = deque()
        self._lock = threading.Lock()
        self._at_work = False

    def give(self, jobs: Sequence[Job], pool: ThreadPoolExecutor) -> None:
        """These rows too; a thread of the pool works them, if none does."""
        self.unsettled += len(jobs)
        with self._lock:
            self._jobs.extend(jobs)
            begins, self._at_work = not self._at_work, True
        if begins:
            pool.submit(copy_context().run, self._work)  # the task's id goes along into the log

    def room(self, in_a_row: int) -> int:
        """How many more rows it may be given now."""
        left = len(self._jobs)
        young = time.monotonic() - self._born_at < LIFETIME_SECONDS
        return in_a_row - left if young and self._at_work and left <= in_a_row // 2 else 0

    def give_back(self) -> None:
        """Begin none of the rows that wait; the call under way ends as it may."""
        for job in self._taken():
            self._finish(job, GIVEN_BACK)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            began = time.monotonic()
            with bound_contextvars(**job.ids()):
                outcome = perform(job)
            self._finish(job, outcome)
            if not outcome.well or time.monotonic() - began > _SLOW_SECONDS:
                self.give_back()

    def _next(self) -> Job | None:
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._at_work = False
            return None

    def _taken(self) -> list[Job]:
        with self._lock:
            jobs = list(self._jobs)
            self._jobs.clear()
            return jobs
