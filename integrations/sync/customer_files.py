"""Lets a worker check and enter customer files: rung when one wants work, swept for what a lost ring left.

One thread of each worker process does it, and the others go on with the outbox. A worker that is to end stops between
two slices; the next one goes on there.
"""

import threading
from typing import Any

from celery.signals import worker_shutting_down
from django.db import transaction
from django.dispatch import receiver

from coupons import customer_files
from coupons.signals import customer_file_wanted
from integrations.outbox import doorbell

TASK = "integrations.tasks.work_customer_files"
_at_it = threading.Lock()
_ending = threading.Event()


@receiver(customer_file_wanted)
def _ring(**kwargs: Any) -> None:
    transaction.on_commit(_ring_now, robust=True)


def _ring_now() -> None:
    doorbell.ring(TASK)


@worker_shutting_down.connect
def wind_down(**kwargs: object) -> None:
    """A worker that is to end does not wait for a whole file."""
    _ending.set()


def work() -> None:
    """Work every file that is due, unless this process is at it already."""
    if not _at_it.acquire(blocking=False):
        return
    try:
        customer_files.work_all(until=_ending.is_set)
    finally:
        _at_it.release()
