"""Questions to servers that may never answer, asked so that whoever asks gets away in time.

Neither PostgreSQL's driver nor the resolver promises to return, so each question runs in a thread of its own. There is
one such thread at a time for each question: callers share it, and what it found is kept for a moment.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Question(Generic[T]):
    """Something to ask, in a thread, at most once in `keep_seconds`."""

    def __init__(self, ask: Callable[[], T], *, keep_seconds: float) -> None:
        self._ask, self._keep_seconds = ask, keep_seconds
        self._lock = threading.Lock()
        self._answer: Future[T] | None = None
        self._answered_at = 0.0

    def begin(self) -> Future[T]:
        """Begin to ask, or join whoever asks already; `result(timeout)` of what is returned never waits longer."""
        with self._lock:
            known = self._answer
            if known is not None and (not known.done() or time.monotonic() - self._answered_at < self._keep_seconds):
                return known
            answer: Future[T] = Future()
            self._answer = answer
            threading.Thread(target=self._find, args=(answer,), name="question", daemon=True).start()
            return answer

    def _find(self, answer: Future[T]) -> None:
        try:
            found = self._ask()
        except Exception as error:
            self._answered_at = time.monotonic()
            answer.set_exception(error)
        else:
            self._answered_at = time.monotonic()
            answer.set_result(found)
