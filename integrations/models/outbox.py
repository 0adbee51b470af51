"""The outbox: one row for each thing to tell another system, written in the transaction that made it true.

A row is worked by one call at a time. `phase` says what the next call is for; every call is kept as an attempt that is
committed before the socket opens.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from merchants.models import DfireAccount, Merchant


class RowKind(models.TextChoices):
    """What is to be told (PROTOCOLS §1, methods)."""

    SAVE_PROMOTION = "save_promotion", _("save a promotion")
    DELETE_PROMOTION = "delete_promotion", _("delete a promotion")
    DELIVER = "deliver", _("deliver a coupon")
    WITHDRAW = "withdraw", _("withdraw a coupon")
    TRANSFER = "transfer", _("move a coupon to its new holder")
    WITHDRAW_UNKNOWN = "withdraw_unknown", _("withdraw a coupon unknown here")
    VERIFY = "verify", _("redeem a coupon at dfire")


class RowState(models.TextChoices):
    """Where a row is. The first three are unsettled."""

    QUEUED = "queued", _("queued")
    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("sending")
    DONE = "done", _("done")
    DEAD = "dead", _("failed")
    CANCELLED = "cancelled", _("cancelled")


UNSETTLED = (RowState.QUEUED, RowState.WAITING, RowState.SENDING)
SETTLED_FOR_GOOD = (RowState.DONE, RowState.CANCELLED)  # a failed one still waits for staff


class Phase(models.TextChoices):
    """What the next call is for."""

    SEND = "send", _("send")
    ASK = "ask", _("ask whether it happened")
    LOOK_AGAIN = "look_again", _("look once more")


class OutboxRow(models.Model):
    """One thing to tell dfire. Worked under a lease; order is kept per coupon and per template by `id`."""

    kind = models.CharField(_("kind"), max_length=20, choices=RowKind.choices)
    state = models.CharField(_("state"), max_length=10, choices=RowState.choices, default=RowState.QUEUED)
    phase = models.CharField(_("next call"), max_length=10, choices=Phase.choices, default=Phase.SEND)
    priority = models.PositiveSmallIntegerField(_("priority"), default=5, help_text=_("Lower goes first."))
    account = models.ForeignKey(
        DfireAccount,
        models.PROTECT,
        verbose_name=_("dfire account"),
        null=True,
        related_name="+",
        db_index=False,
    )
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+", db_index=False)
    # Outlives a deleted template, because the order of what is told of it must too.
    template = models.ForeignKey(
        CouponTemplate,
        models.DO_NOTHING,
        verbose_name=_("template"),
        null=True,
        related_name="outbox",
        db_constraint=False,
        db_index=False,
    )
    version = models.ForeignKey(
        TemplateVersion,
        models.SET_NULL,
        verbose_name=_("terms"),
        null=True,
        related_name="outbox",
        db_index=False,
    )
    coupon = models.ForeignKey(IssuedCoupon, models.PROTECT, verbose_name=_("coupon"), null=True, related_name="outbox")
    details = models.JSONField(_("details"), default=dict, blank=True)
    origin = models.CharField(
        _("request or task"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("The id in the logs of what wrote this row."),
    )

    available_at = models.DateTimeField(_("not before"))
    queued_at = models.DateTimeField(_("queued"), db_default=Now(), editable=False)
    held = models.BooleanField(
        _("held back"), default=False, db_default=False, help_text=_("Until dfire has been told of its template.")
    )
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    lost_leases = models.PositiveSmallIntegerField(_("lost leases"), default=0)
    tries = models.PositiveIntegerField(_("tries"), default=0, help_text=_("Failed ones since the last success."))
    absences = models.PositiveSmallIntegerField(
        _("seen absent"), default=0, help_text=_("How often dfire was asked and did not have it.")
    )
    resends = models.PositiveSmallIntegerField(_("sent again"), default=0)
    last_class = models.CharField(_("last result"), max_length=20, blank=True, default="")
    last_code = models.CharField(_("last code"), max_length=50, blank=True, default="")
    last_message = models.CharField(_("last message"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    blanked_at = models.DateTimeField(_("contents removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("outbox row")
        verbose_name_plural = _("outbox")
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RowState.values), name="outbox_state_known"),
            models.CheckConstraint(condition=Q(phase__in=Phase.values), name="outbox_phase_known"),
            models.CheckConstraint(
                condition=Q(state=RowState.SENDING, lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state=RowState.SENDING) & Q(lease_token=None, lease_until=None)),
                name="outbox_lease_while_sending",
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=False) | ~Q(state__in=[RowState.QUEUED, RowState.SENDING]),
                name="outbox_without_account_waits",
            ),
            # Two deliveries of one coupon on their way at once could become two coupons.
            models.UniqueConstraint(
                fields=["coupon", "kind"],
                condition=Q(state__in=UNSETTLED),
                name="outbox_one_unsettled_of_a_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "priority", "id"],
                condition=Q(state=RowState.QUEUED, held=False),
                name="outbox_ready",
            ),
            models.Index(fields=["merchant"], condition=Q(state=RowState.DEAD), name="outbox_failed"),
            models.Index(fields=["merchant"], condition=Q(state=RowState.WAITING), name="outbox_waiting"),
            models.Index(fields=["template", "id"], condition=Q(state=RowState.QUEUED, held=True), name="outbox_held"),
            models.Index(fields=["account", "lease_until"], condition=Q(state=RowState.SENDING), name="outbox_leases"),
            models.Index(
                fields=["template", "id"],
                condition=Q(state__in=UNSETTLED, coupon=None),
                name="outbox_order_of_template",
            ),
            models.Index(fields=["template", "id"], condition=Q(coupon=None), name="outbox_of_template"),
            models.Index(
                fields=["settled_at", "id"],
                condition=Q(blanked_at=None, coupon__isnull=False, state__in=SETTLED_FOR_GOOD),
                name="outbox_to_blank",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class OutboxAttempt(models.Model):
    """One call to another system. Open (`result` empty) from before the socket opens until its result is known."""

    row = models.ForeignKey(OutboxRow, models.CASCADE, verbose_name=_("outbox row"), related_name="attempts")
    phase = models.CharField(_("purpose"), max_length=10, choices=Phase.choices)
    method = models.CharField(_("method"), max_length=100)
    lease_token = models.UUIDField(editable=False)
    identity = models.JSONField(_("customer's identity used"), default=dict)
    started_at = models.DateTimeField(_("started"))
    duration_ms = models.PositiveIntegerField(_("time taken (ms)"), null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    result = models.CharField(_("result"), max_length=20, blank=True, default="")
    code = models.CharField(_("code"), max_length=50, blank=True, default="")
    message = models.CharField(_("message"), max_length=500, blank=True, default="")
    request = models.JSONField(_("request"), default=dict)
    answer = models.TextField(_("answer"), blank=True, default="")
    blanked_at = models.DateTimeField(_("contents removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["started_at", "id"], condition=Q(blanked_at=None), name="attempt_to_blank"),
        ]

    def __str__(self) -> str:
        return f"{self.method} · {self.result or '…'}"
