"""Measures how hard each account calls: the most requests in any one second, the most at the same time.

Nothing is enforced. Tests read the figures to see whether the portal keeps the limits it was given.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WINDOW_SECONDS = 1.0


@dataclass(slots=True)
class _Measure:
    arrivals: deque[float] = field(default_factory=deque)
    running: int = 0
    total: int = 0
    max_per_second: int = 0
    max_concurrent: int = 0


class Limits:
    """The figures of every app key since the start or the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measures: dict[str, _Measure] = {}

    @contextmanager
    def measured(self, app_key: str) -> Iterator[None]:
        """Count one call for as long as it runs."""
        now = time.monotonic()
        with self._lock:
            measure = self._measures.setdefault(app_key, _Measure())
            measure.arrivals.append(now)
            while measure.arrivals[0] <= now - WINDOW_SECONDS:
                measure.arrivals.popleft()
            measure.total += 1
            measure.running += 1
            measure.max_per_second = max(measure.max_per_second, len(measure.arrivals))
            measure.max_concurrent = max(measure.max_concurrent, measure.running)
        try:
            yield
        finally:
            with self._lock:
                measure.running -= 1

    def report(self) -> dict[str, dict[str, int]]:
        """The figures by app key."""
        with self._lock:
            return {
                app_key: {
                    "total": measure.total,
                    "running": measure.running,
                    "max_per_second": measure.max_per_second,
                    "max_concurrent": measure.max_concurrent,
                }
                for app_key, measure in self._measures.items()
            }

    def reset(self) -> None:
        """Forget the figures; calls still running are counted out of the old ones."""
        with self._lock:
            self._measures = {}
