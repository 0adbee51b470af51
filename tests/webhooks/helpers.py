"""Steps that several tests take."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.models import IssuedCoupon
from integrations.models import WebhookDelivery, WebhookLane
from integrations.models.webhooks import DeliveryState


def redeem(coupon: IssuedCoupon) -> None:
    """As a till does."""
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now())


def revoke(coupon: IssuedCoupon) -> None:
    """As staff do."""
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="test", actor="staff:test")


def time_passes() -> None:
    """Whatever waits may go."""
    queued = WebhookDelivery.objects.filter(state=DeliveryState.QUEUED)
    queued.update(available_at=timezone.now() - timedelta(seconds=1))
    WebhookLane.objects.update(next_at=None)
    sending = WebhookDelivery.objects.filter(state=DeliveryState.SENDING)
    sending.update(lease_until=timezone.now() - timedelta(seconds=1))


def states() -> list[str]:
    """Of all deliveries, in their order."""
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))
