"""The doorbell: tells a worker that there is something to do. It may fail; the sweep finds what it left.

A thread of its own carries it, one message a task for all who rang meanwhile, so that nobody ever waits for a broker
that is down, or that is up and does not answer.
"""

import logging
import os
import threading
import time

from celery import current_app

from integrations import counters

logger = logging.getLogger(__name__)

DRAIN_TASK = "integrations.tasks.drain_outbox"
_QUIET_SECONDS = 2.0  # after a failure; the sweep comes as often
_EXPIRES_SECONDS = 30


class _Carrier:
    """The thread and what wakes it; begun at the first ring, because a server may fork after it has loaded us."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._wanted: set[str] = set()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self, task: str) -> None:
        self._wanted.add(task)
        self._rung.set()
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._carry, name="doorbell", daemon=True)
                self._thread.start()

    def _carry(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            try:
                while self._wanted:
                    current_app.send_task(self._wanted.pop(), expires=_EXPIRES_SECONDS, ignore_result=True, retry=False)
            except Exception as error:  # kombu lets each transport's own errors through
                counters.BROKER_FAILURES.labels("doorbell").inc()
                logger.warning("The broker did not take the doorbell; the sweep will find the rows. %s", error)
                time.sleep(_QUIET_SECONDS)


_carrier = _Carrier()


def ring(task: str = DRAIN_TASK) -> None:
    """Ask a worker to run a task soon: by default, to look into the outbox. Never raises and never waits."""
    _carrier.ring(task)


def _after_fork() -> None:
    global _carrier
    _carrier = _Carrier()  # threads do not survive a fork


os.register_at_fork(after_in_child=_after_fork)
