"""One address's lane: hands out what is to be sent under a lease, and writes down what came of it.

The lane's row is locked for the moment of both, which makes the number of calls in flight exact across all workers.
An address that fails again and again is tried with one call at a time, ever more seldom, until it takes one; the rest
of its queue is not worn down meanwhile. Order is not promised: what fails comes later than what follows it.
"""

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.models.webhooks import TEST_EVENT, DeliveryState, OffReason, SendResult
from integrations.webhooks.sending import Letter, Outcome
from integrations.webhooks.signing import live_secrets
from integrations.webhooks.switching import locked_lane, switch_off

PROBING_AFTER = 3  # failed calls in a row: from here on one call at a time
LONGEST_LANE_PAUSE_SECONDS = 300
LEASE_MARGIN = timedelta(seconds=30)
_FIRST_PAUSE_SECONDS = 5
_GRACE = timedelta(seconds=30)
_SWEPT_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Job:
    """One call to make, and the lease that its outcome counts under."""

    endpoint_id: int
    delivery_id: int
    attempt_id: int
    event: str
    lease: uuid.UUID
    letter: Letter


def due_endpoints(now: datetime) -> list[int]:
    """The addresses that may be called at `now` (aware) and have something to be sent."""
    due = WebhookDelivery.objects.filter(
        endpoint=OuterRef("pk"), state=DeliveryState.QUEUED, available_at__lte=now
    ).exclude(event=TEST_EVENT)
    may = Q(lane=None) | (Q(lane__off_at=None) & (Q(lane__next_at=None) | Q(lane__next_at__lte=now)))
    return list(WebhookEndpoint.objects.filter(may).filter(Exists(due)).values_list("pk", flat=True))


@transaction.atomic
def claim(endpoint_id: int, most: int) -> list[Job]:
    """Take at most so many deliveries of an address. Each attempt is written down before anything is sent."""
    now = timezone.now()
    lane = locked_lane(endpoint_id)
    if lane is None or lane.off_at is not None or (lane.next_at is not None and lane.next_at > now):
        return []
    theirs = WebhookDelivery.objects.filter(endpoint_id=endpoint_id)
    room = 1 if lane.failures >= PROBING_AFTER else settings.WEBHOOK_AT_ONCE
    room = min(most, room - theirs.filter(state=DeliveryState.SENDING, lease_until__gt=now).count())
    if room <= 0:
        return []
    due = theirs.filter(state=DeliveryState.QUEUED, available_at__lte=now).exclude(event=TEST_EVENT)
    rows = due.select_for_update(skip_locked=True, no_key=True).order_by("available_at", "id")[:room]
    return _begin(lane.endpoint, _still_theirs(lane.endpoint, list(rows), now), now)


@transaction.atomic
def claim_test(delivery: WebhookDelivery) -> Job | None:
    """Take a test event that has just been stored; an address that is switched off can be tested too."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=delivery.endpoint_id)
    rows = WebhookDelivery.objects.select_for_update(no_key=True).filter(pk=delivery.pk, state=DeliveryState.QUEUED)
    return next(iter(_begin(endpoint, list(rows), timezone.now())), None)


@transaction.atomic
def settle(job: Job, outcome: Outcome) -> None:
    """Write down what came of a call; the attempt alone, where its lease has run out and another has been given."""
    now = timezone.now()
    lane = locked_lane(job.endpoint_id)
    WebhookAttempt.objects.filter(pk=job.attempt_id).update(
        result=outcome.result, status=outcome.status, answer=outcome.answer, duration_ms=outcome.duration_ms
    )
    row = WebhookDelivery.objects.select_for_update(no_key=True).filter(pk=job.delivery_id, lease_token=job.lease)
    delivery = row.first()
    if lane is None or delivery is None or delivery.state != DeliveryState.SENDING:
        return
    delivery.lease_token = delivery.lease_until = None
    delivery.result, delivery.status = outcome.result, outcome.status
    if outcome.result is SendResult.OK:
        delivery.state, delivery.settled_at = DeliveryState.DONE, now
    elif delivery.give_up_at <= now:
        delivery.state, delivery.settled_at = DeliveryState.FAILED, now
    else:
        wait = max(_pause(delivery.tries, settings.WEBHOOK_LONGEST_PAUSE_SECONDS), outcome.wait_seconds)
        delivery.state = DeliveryState.QUEUED
        delivery.available_at = min(now + timedelta(seconds=wait), delivery.give_up_at)
    delivery.save(
        update_fields=[
            "state", "settled_at", "available_at", "lease_token", "lease_until", "result", "status",
        ]
    )  # fmt: skip
    if delivery.event != TEST_EVENT:
        _note(lane, outcome, now)


@transaction.atomic
def recover_lost() -> int:
    """Queue again what workers that died have left under their leases. Returns how many."""
    now = timezone.now()
    lost = _some(WebhookDelivery.objects.filter(state=DeliveryState.SENDING, lease_until__lte=now))
    lost.filter(event=TEST_EVENT).update(state=DeliveryState.FAILED, settled_at=now, lease_token=None)
    others = lost.filter(state=DeliveryState.SENDING)
    return others.update(state=DeliveryState.QUEUED, available_at=now, lease_token=None, lease_until=None)


@transaction.atomic
def give_up_overdue() -> int:
    """Fail what could not be sent in its time, tried or not. What an address has pending that is off, staff decide."""
    late = WebhookDelivery.objects.filter(state=DeliveryState.QUEUED, give_up_at__lte=timezone.now() - _GRACE)
    some = _some(late.exclude(endpoint__lane__off_at__isnull=False))
    return some.update(state=DeliveryState.FAILED, settled_at=timezone.now())


def _some(rows: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    """The first of the rows, locked; what another worker holds is left to it."""
    locked = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("pk")
    return WebhookDelivery.objects.filter(pk__in=list(locked.values_list("pk", flat=True)[:_SWEPT_AT_ONCE]))


def _still_theirs(endpoint: WebhookEndpoint, rows: list[WebhookDelivery], now: datetime) -> list[WebhookDelivery]:
    """Those of merchants that the app still works for; the others are left out for good."""
    own = set(endpoint.app.merchants.values_list("pk", flat=True)) if rows else set()
    if strange := [row.pk for row in rows if row.merchant_id not in own]:
        WebhookDelivery.objects.filter(pk__in=strange).update(state=DeliveryState.DROPPED, settled_at=now)
    return [row for row in rows if row.merchant_id in own]


def _begin(endpoint: WebhookEndpoint, rows: list[WebhookDelivery], now: datetime) -> list[Job]:
    lease = uuid.uuid4()
    until = now + timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS) + LEASE_MARGIN
    WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=DeliveryState.SENDING, lease_token=lease, lease_until=until, tries=F("tries") + 1
    )
    attempts = WebhookAttempt.objects.bulk_create(WebhookAttempt(delivery=row, started_at=now) for row in rows)
    secrets = live_secrets(endpoint, now)
    return [
        Job(
            endpoint.pk, row.pk, attempt.pk, row.event, lease,
            Letter(url=endpoint.url, webhook_id=row.webhook_id, body=row.payload, secrets=secrets),
        )
        for row, attempt in zip(rows, attempts, strict=True)
    ]  # fmt: skip


def _note(lane: WebhookLane, outcome: Outcome, now: datetime) -> None:
    """What a call says about the address itself."""
    if outcome.result is SendResult.OK:
        lane.failures, lane.failing_since, lane.next_at, lane.last_ok_at = 0, None, None, now
    else:
        lane.failures += 1
        lane.failing_since = lane.failing_since or now
        wait = float(outcome.wait_seconds)
        if lane.failures >= PROBING_AFTER:
            wait = max(wait, _pause(lane.failures - PROBING_AFTER + 1, LONGEST_LANE_PAUSE_SECONDS))
        if wait:
            lane.next_at = now + timedelta(seconds=wait)
    lane.save()
    too_long = timedelta(hours=settings.WEBHOOK_OFF_AFTER_HOURS)
    if outcome.result is SendResult.GONE:
        switch_off(lane, OffReason.GONE, now, outcome.status)
        return
    failing = lane.failing_since is not None and lane.failing_since <= now - too_long
    if failing and lane.failures >= settings.WEBHOOK_OFF_AFTER_TRIES:
        switch_off(lane, OffReason.FAILING, now, outcome.status)


def _pause(failures: int, ceiling: int) -> float:
    """Seconds until the next try: 5, 15, 45 … and a fifth more or less."""
    return min(ceiling, _FIRST_PAUSE_SECONDS * 3 ** min(failures - 1, 20)) * random.uniform(0.8, 1.2)  # nosec B311 # spreads load, no secret
