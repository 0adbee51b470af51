"""What staff send once more: under the same id, so that a partner who has it already can tell."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.models.webhooks import SETTLED, TEST_EVENT, DeliveryState
from integrations.outbox import doorbell
from integrations.webhooks.events import SEND_TASK


@transaction.atomic
def resend(deliveries: QuerySet[WebhookDelivery]) -> list[int]:
    """Queue settled deliveries again, for as long as new ones are tried. Test events and addresses that are off: not.

    Returns:
        The keys of those that it queued.
    """
    now = timezone.now()
    may = deliveries.filter(state__in=SETTLED).exclude(event=TEST_EVENT).exclude(endpoint__lane__off_at__isnull=False)
    locked = WebhookDelivery.objects.filter(pk__in=may.order_by().values("pk"), state__in=SETTLED).order_by("pk")
    queued = list(locked.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    WebhookDelivery.objects.filter(pk__in=queued).update(
        state=DeliveryState.QUEUED,
        available_at=now,
        give_up_at=now + timedelta(hours=settings.WEBHOOK_RETRY_HOURS),
        settled_at=None,
        tries=0,
    )
    if queued:
        transaction.on_commit(lambda: doorbell.ring(SEND_TASK), robust=True)
    return queued


def failed_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """The address's failed deliveries, without test events."""
    return WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.FAILED).exclude(event=TEST_EVENT)
