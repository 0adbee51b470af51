"""What partners are still to be told, and how it goes with each of their addresses.

A lane of its own beside the outbox for dfire (docs/decisions/0006-webhooks-have-a-lane-of-their-own.md): a delivery is
written in the transaction of what it tells of, and worked under a lease.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models.partners import WebhookEndpoint, WebhookEvent
from merchants.models import Merchant

TEST_EVENT = "webhook.test"
EVENT_CHOICES = [*WebhookEvent.choices, (TEST_EVENT, _("test event"))]


class DeliveryState(models.TextChoices):
    """Where a delivery is."""

    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    DROPPED = "dropped", _("left out")


SETTLED = (DeliveryState.DONE, DeliveryState.FAILED, DeliveryState.DROPPED)


class SendResult(models.TextChoices):
    """What came of one attempt. None (an empty text) was noted where the worker died meanwhile."""

    OK = "ok", _("taken")
    REFUSED = "refused", _("refused")
    BUSY = "busy", _("asked to come later")
    GONE = "gone", _("said that it is gone")
    REDIRECT = "redirect", _("points elsewhere")
    TIMEOUT = "timeout", _("no answer in time")
    NO_NAME = "no_name", _("name not found")
    NO_CONNECTION = "no_connection", _("no connection")
    CERTIFICATE = "certificate", _("certificate not trusted")
    BROKEN = "broken", _("the answer broke off")
    NOT_ALLOWED = "not_allowed", _("address not allowed")
    SECRET = "secret", _("the signing secret is unusable")


class OffReason(models.TextChoices):
    """Why an address is told nothing."""

    FAILING = "failing", _("it has failed for too long")
    GONE = "gone", _("it said that it is gone (HTTP 410)")
    STAFF = "staff", _("by staff")


class WebhookDelivery(models.Model):
    """One event for one address. `payload` is the body as it is sent, frozen at the moment of the event."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, verbose_name=_("webhook"), related_name="deliveries", db_index=False
    )
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+", null=True, db_index=False
    )
    event = models.CharField(_("event"), max_length=30, choices=EVENT_CHOICES)
    message_id = models.UUIDField(_("event ID"), default=uuid.uuid4, unique=True, editable=False)
    coupon = models.ForeignKey(
        IssuedCoupon, models.SET_NULL, verbose_name=_("coupon"), related_name="webhook_deliveries", null=True
    )
    template = models.ForeignKey(
        CouponTemplate, models.SET_NULL, verbose_name=_("template"), related_name="+", null=True, db_index=False
    )
    payload = models.TextField(_("content"))
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    available_at = models.DateTimeField(_("not before"))
    give_up_at = models.DateTimeField(_("tried until"))
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    result = models.CharField(_("last result"), max_length=20, choices=SendResult.choices, blank=True, default="")
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    created_at = models.DateTimeField(_("happened"))
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "available_at", "id"],
                condition=Q(state=DeliveryState.QUEUED),
                name="delivery_queued",
            ),
            models.Index(
                fields=["endpoint", "lease_until"], condition=Q(state=DeliveryState.SENDING), name="delivery_sending"
            ),
            models.Index(fields=["endpoint", "id"], condition=Q(state=DeliveryState.FAILED), name="delivery_failed"),
            models.Index(fields=["give_up_at"], condition=Q(state=DeliveryState.QUEUED), name="delivery_overdue"),
            models.Index(fields=["template"], condition=Q(template__isnull=False), name="delivery_of_template"),
            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),
            models.Index(fields=["merchant", "-id"], name="delivery_of_merchant"),
            models.Index(fields=["created_at", "id"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} #{self.pk}"

    @property
    def webhook_id(self) -> str:
        """What the partner knows it by, over all attempts."""
        return f"msg_{self.message_id.hex}"


class WebhookAttempt(models.Model):
    """One call: written before it is made, so that one whose worker died is seen. `answer` is its beginning, masked."""

    delivery = models.ForeignKey(
        WebhookDelivery, models.CASCADE, verbose_name=_("webhook delivery"), related_name="attempts"
    )
    started_at = models.DateTimeField(_("began"))
    duration_ms = models.PositiveIntegerField(_("took (ms)"), null=True)
    result = models.CharField(_("result"), max_length=20, choices=SendResult.choices, blank=True, default="")
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    answer = models.TextField(_("answer"), blank=True, default="")

    class Meta:
        verbose_name = _("webhook call")
        verbose_name_plural = _("webhook calls")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{_('webhook call')} #{self.pk}"


class WebhookLane(models.Model):
    """How it goes with one address. What staff edit stands in the address itself, so that neither undoes the other."""

    endpoint = models.OneToOneField(WebhookEndpoint, models.CASCADE, verbose_name=_("webhook"), related_name="lane")
    failures = models.PositiveIntegerField(_("failed calls in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    next_at = models.DateTimeField(_("not before"), null=True)
    last_ok_at = models.DateTimeField(_("last taken"), null=True)
    off_at = models.DateTimeField(_("switched off"), null=True)
    off_reason = models.CharField(_("why"), max_length=10, choices=OffReason.choices, blank=True, default="")

    class Meta:
        verbose_name = _("lane of webhooks")
        verbose_name_plural = _("lanes of webhooks")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.endpoint)
