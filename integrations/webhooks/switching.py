"""An address is switched off - by itself when it fails for too long, or by staff - and on again by staff.

What was pending then stays pending, and what happens in the three days after it is kept as well, so that whoever
switches it on can choose to send it.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone

from integrations.alerts.incidents import close_incident, raise_incident
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.models.alerts import IncidentKind
from integrations.models.webhooks import DeliveryState, OffReason
from integrations.outbox import doorbell
from integrations.webhooks.events import SEND_TASK


def locked_lane(endpoint_id: int) -> WebhookLane | None:
    """The address's lane, locked until the transaction ends; made at first use. None: the address is gone."""
    if not WebhookLane.objects.filter(endpoint_id=endpoint_id).exists():
        if not WebhookEndpoint.objects.filter(pk=endpoint_id).exists():
            return None
        WebhookLane.objects.bulk_create([WebhookLane(endpoint_id=endpoint_id)], ignore_conflicts=True)
    lanes = WebhookLane.objects.select_for_update(no_key=True, of=("self",)).select_related("endpoint")
    return lanes.filter(endpoint_id=endpoint_id).first()


def switch_off(lane: WebhookLane, reason: OffReason, now: datetime, status: int | None = None) -> None:
    """Tell an address nothing from `now` (aware) on. The lane is locked. Others than staff give notice of it."""
    if lane.off_at is not None:
        return
    lane.off_at, lane.off_reason = now, reason
    lane.save(update_fields=["off_at", "off_reason"])
    if reason is OffReason.STAFF:
        return
    endpoint = lane.endpoint
    few = list(endpoint.app.merchants.order_by("pk")[:2])
    raise_incident(
        IncidentKind.WEBHOOK_OFF,
        merchant=few[0] if len(few) == 1 else None,  # of several, administrators are told
        subject=_subject(lane),
        figures={"url": endpoint.label, "app": endpoint.app.name, "status": str(status or "-")},
        page=reverse("admin:integrations_webhookendpoint_change", args=[endpoint.pk]),
    )


@transaction.atomic
def switch_on(endpoint: WebhookEndpoint, *, send_pending: bool) -> int:
    """Tell an address again from now on, and what is pending too, or leave that out.

    Returns:
        How many deliveries were pending.
    """
    now = timezone.now()
    lane = locked_lane(endpoint.pk)
    assert lane is not None  # nosec B101 # the caller holds it
    lane.off_at, lane.off_reason, lane.failures, lane.failing_since, lane.next_at = None, "", 0, None, None
    lane.save()
    pending = WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.QUEUED)
    if send_pending:
        count = pending.update(available_at=now, give_up_at=now + timedelta(hours=settings.WEBHOOK_RETRY_HOURS))
        transaction.on_commit(lambda: doorbell.ring(SEND_TASK), robust=True)
    else:
        count = pending.update(state=DeliveryState.DROPPED, settled_at=now)
    close_incident(IncidentKind.WEBHOOK_OFF, subject=_subject(lane))
    return count


def pending_of(endpoint: WebhookEndpoint) -> int:
    """How many deliveries wait for an address that is off."""
    return WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.QUEUED).count()


@transaction.atomic
def remove(endpoint: WebhookEndpoint) -> None:
    """Delete an address with its log, however long that is."""
    locked_lane(endpoint.pk)
    WebhookAttempt.objects.filter(delivery__endpoint=endpoint).delete()
    deliveries = WebhookDelivery.objects.filter(endpoint=endpoint)
    deliveries._raw_delete(deliveries.db)  # nothing hangs on them any more, so none of them need be read
    endpoint.delete()


@transaction.atomic
def try_anew(endpoint: WebhookEndpoint) -> None:
    """The address has been mended: what is due goes at once, unless it is off."""
    lane = locked_lane(endpoint.pk)
    if lane is not None and lane.off_at is None:
        lane.failures, lane.failing_since, lane.next_at = 0, None, None
        lane.save(update_fields=["failures", "failing_since", "next_at"])
        now = timezone.now()
        WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.QUEUED).update(available_at=now)
        transaction.on_commit(lambda: doorbell.ring(SEND_TASK), robust=True)


@receiver(post_delete, sender=WebhookEndpoint)
def _over(instance: WebhookEndpoint, **kwargs: Any) -> None:
    """The address is gone, by itself or with its app, and so is what was the matter with it."""
    close_incident(IncidentKind.WEBHOOK_OFF, subject=f"webhook:{instance.pk}")


def _subject(lane: WebhookLane) -> str:
    return f"webhook:{lane.endpoint_id}"
