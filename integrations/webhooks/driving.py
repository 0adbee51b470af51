"""Works webhooks in one worker process: claims, sends side by side, settles, until nothing is due.

One thread, the one that runs the task, does everything with the database; the pool's threads do nothing but wait for
partners. Each address that has work gets an even share of them, so that a slow one holds nobody back; and a process
runs one drain at a time, so that however slow all of them are, the other tasks keep their threads.
"""

import logging
import threading
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from integrations import counters
from integrations.models import WebhookDelivery
from integrations.models.webhooks import SendResult
from integrations.outbox.settling import DATABASE_AWAY
from integrations.webhooks import lanes
from integrations.webhooks.lanes import Job
from integrations.webhooks.sending import Outcome, Sender

logger = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.25  # while calls are in flight, look for new work this often
_RECOVER_SECONDS = 5.0
_Flying = dict["Future[Outcome]", Job]

_sender = Sender()
_drain_lock = threading.Lock()
_rung = threading.Event()
_ending = threading.Event()


def drain() -> int:
    """Send what is due. A second call in the same process is heard by the first and returns at once.

    Returns:
        How many calls were made.
    """
    made = 0
    _rung.set()
    while _rung.is_set() and _drain_lock.acquire(blocking=False):
        try:
            _rung.clear()  # who rings from here on is heard by this round or makes another
            made += _drain()
        except DATABASE_AWAY as error:  # what is in flight comes back when its lease runs out
            logger.warning("The database went away; the next drain goes on.", error=str(error))
        finally:
            _drain_lock.release()
    return made


def send_test(delivery: WebhookDelivery) -> Outcome | None:
    """Send a test event now and wait for its answer. Touches the network: not inside a transaction."""
    job = lanes.claim_test(delivery)
    if job is None:
        return None
    outcome = _sender.send(job.letter)
    _settle(job, outcome)
    return outcome


@worker_shutting_down.connect
def wind_down(**kwargs: object) -> None:
    """Begin nothing more in this process; what is in flight is settled."""
    _ending.set()


def _drain() -> int:
    made, flying, recovered_at = 0, _Flying(), float("-inf")
    with ThreadPoolExecutor(settings.WEBHOOK_THREADS, thread_name_prefix="webhooks") as pool:
        while True:
            close_old_connections()
            if time.monotonic() - recovered_at >= _RECOVER_SECONDS:
                recovered_at = time.monotonic()
                lanes.recover_lost()
                lanes.give_up_overdue()
            for job in [] if _ending.is_set() else _claim(flying):
                flying[pool.submit(_sender.send, job.letter)] = job
                made += 1
            if not flying:
                return made
            done, _others = wait(flying, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for call in done:
                _settle(flying.pop(call), _outcome(call))


def _claim(flying: _Flying) -> list[Job]:
    """What is due, evenly: each address that has work or calls in flight may hold so many threads and no more."""
    due = lanes.due_endpoints(timezone.now())
    held = Counter(job.endpoint_id for job in flying.values())
    share = max(1, settings.WEBHOOK_THREADS // max(1, len(held.keys() | set(due))))
    claimed: list[Job] = []
    for endpoint_id in sorted(due, key=lambda pk: held[pk]):
        free = min(share - held[endpoint_id], settings.WEBHOOK_THREADS - len(flying) - len(claimed))
        if free > 0:
            claimed += _claim_for(endpoint_id, free)
    return claimed


def _claim_for(endpoint_id: int, most: int) -> list[Job]:
    try:
        return lanes.claim(endpoint_id, most)
    except DATABASE_AWAY:
        raise
    except Exception:  # a secret that no key opens any more, say: the other addresses go on
        logging.getLogger(__name__).exception("Nothing can be claimed for webhook %s.", endpoint_id)
        return []


def _outcome(call: "Future[Outcome]") -> Outcome:
    try:
        return call.result()
    except Exception:  # a fault of ours: this delivery comes later, the others go on
        logging.getLogger(__name__).exception("A webhook broke.")
        return Outcome(SendResult.BROKEN)


def _settle(job: Job, outcome: Outcome) -> None:
    lanes.settle(job, outcome)
    counters.WEBHOOKS.labels(job.event, outcome.result.value).inc()
    logger.info(
        "webhook",
        endpoint_id=job.endpoint_id,
        delivery_id=job.delivery_id,
        webhook_event=job.event,
        result=outcome.result.value,
        status=outcome.status,
        duration_ms=outcome.duration_ms,
    )
