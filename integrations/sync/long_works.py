"""Lets a worker carry out what takes long: batches, and customer files. Rung when one wants work, swept for what a lost
ring left.

One thread of each worker process does each of them, and the others go on with the outbox. A worker that is to end stops
between two slices; the next one goes on there.
"""

import threading
from collections.abc import Callable
from typing import Any

from celery.signals import worker_shutting_down
from django.db import transaction
from django.dispatch import Signal

from coupons import batches, customer_files
from coupons.signals import batch_wanted, customer_file_wanted
from integrations.outbox import doorbell


class LongWork:
    """One kind of it: the signal that wants it, the task that does it, and what works all that is due."""

    def __init__(self, wanted: Signal, task: str, work_all: Callable[[Callable[[], bool]], int]) -> None:
        self._task = task
        self._work_all = work_all
        self._at_it = threading.Lock()
        self._ending = threading.Event()
        wanted.connect(self._ring)
        worker_shutting_down.connect(self._wind_down)

    def work(self) -> None:
        """Work all that is due, unless this process is at it already."""
        if not self._at_it.acquire(blocking=False):
            return
        try:
            self._work_all(self._ending.is_set)
        finally:
            self._at_it.release()

    def _ring(self, **kwargs: Any) -> None:
        transaction.on_commit(self._ring_now, robust=True)

    def _ring_now(self) -> None:
        doorbell.ring(self._task)

    def _wind_down(self, **kwargs: object) -> None:
        self._ending.set()


BATCHES = LongWork(batch_wanted, "integrations.tasks.work_batches", batches.work_all)
CUSTOMER_FILES = LongWork(customer_file_wanted, "integrations.tasks.work_customer_files", customer_files.work_all)
