"""Cuts database connections on which somebody has waited too long: one thread of each process watches all of them."""

import heapq
import itertools
import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import psycopg


class Watch:
    """Cuts one thread's connection if it is not called off in time; whatever waits for an answer then fails at once."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._over = False
        _watchman().add(time.monotonic() + seconds, self)

    def call_off(self) -> None:
        """From here on the connection is left alone."""
        with self._lock:
            self._over = True

    def cut(self) -> None:
        """End what the connection waits for, unless it is over."""
        with self._lock:
            raw = self._connection.connection
            if self._over or raw is None:  # while it is being made, `connect_timeout` is the bound
                return
            with suppress(psycopg.Error, OSError):  # it may be gone by now
                end = socket.socket(fileno=raw.fileno())
                try:
                    end.shutdown(socket.SHUT_RDWR)
                finally:
                    end.detach()  # it stays psycopg's to close


class _Watchman:
    """The thread. A watch that was called off stays in its list until its time has come, which costs nothing."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._due: list[tuple[float, int, Watch]] = []
        self._number = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._look, name="database-watch", daemon=True).start()

    def add(self, at: float, watch: Watch) -> None:
        """Cut it at this moment (of the monotonic clock); whoever waits for a later one is woken."""
        with self._changed:
            entry = (at, next(self._number), watch)
            heapq.heappush(self._due, entry)
            if self._due[0] is entry:
                self._changed.notify()

    def _look(self) -> None:
        while True:
            with self._changed:
                while not self._due or (left := self._due[0][0] - time.monotonic()) > 0:
                    self._changed.wait(left if self._due else None)
                *_, watch = heapq.heappop(self._due)
            watch.cut()


_making = threading.Lock()
_made: _Watchman | None = None


def _watchman() -> _Watchman:
    """This process's: a fork takes no threads along."""
    global _made
    if _made is None or _made.process != os.getpid():
        with _making:
            if _made is None or _made.process != os.getpid():
                _made = _Watchman()
    return _made
