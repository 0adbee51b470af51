"""What smart-coupon platforms are still to be told: which of the coupons that they pushed have been redeemed.

An outbox of its own beside the one for dfire: written in the transaction of the redemption and worked under a lease,
but many coupons go in one call, and saying it twice does no harm, so nothing is ever asked before it is repeated
(docs/decisions/0005-reports-have-a-lane-of-their-own.md).
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import IssuedCoupon
from merchants.models import SmartCouponAccount
from merchants.secrets import EncryptedTextField


class ReportState(models.TextChoices):
    """Where a report is."""

    QUEUED = "queued", _("queued")
    DONE = "done", _("done")
    DEAD = "dead", _("failed")


class ConsumeReport(models.Model):
    """One redeemed coupon to be reported to the platform that pushed it. `alone`: not together with others any more."""

    coupon = models.OneToOneField(IssuedCoupon, models.PROTECT, verbose_name=_("coupon"), related_name="consume_report")
    account = models.ForeignKey(
        SmartCouponAccount,
        models.PROTECT,
        verbose_name=_("smart-coupon account"),
        related_name="+",
        db_index=False,
    )
    state = models.CharField(_("state"), max_length=10, choices=ReportState.choices, default=ReportState.QUEUED)
    alone = models.BooleanField(_("by itself"), default=False)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    available_at = models.DateTimeField(_("not before"))
    sent_at = models.DateTimeField(_("last sent"), null=True, blank=True)
    result = models.CharField(_("last result"), max_length=20, blank=True, default="")
    code = models.CharField(_("last code"), max_length=50, blank=True, default="")
    message = models.CharField(_("last message"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("consume report")
        verbose_name_plural = _("consume reports")
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ReportState.values), name="report_state_known"),
        ]
        indexes = [
            models.Index(fields=["account", "id"], condition=Q(state=ReportState.QUEUED), name="report_queued"),
            models.Index(fields=["account", "id"], condition=Q(state=ReportState.DEAD), name="report_failed"),
        ]

    def __str__(self) -> str:
        return f"{_('consume report')} #{self.pk}"


class ReportLane(models.Model):
    """How it goes with one account's reports. At most one call is under way: whoever holds the lease makes it."""

    account = models.OneToOneField(
        SmartCouponAccount, models.CASCADE, verbose_name=_("smart-coupon account"), related_name="report_lane"
    )
    access_token = EncryptedTextField(_("access token"), blank=True, default="", editable=False)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failed calls in a row"), default=0)
    next_at = models.DateTimeField(_("not before"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    code = models.CharField(_("code"), max_length=50, blank=True, default="")
    message = models.CharField(_("message"), max_length=500, blank=True, default="")
    swept_to = models.BigIntegerField(_("looked through to coupon"), default=0, editable=False)

    class Meta:
        verbose_name = _("lane of consume reports")
        verbose_name_plural = _("lanes of consume reports")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.account)
