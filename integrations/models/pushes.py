"""What smart-coupon platforms pushed, what we answered, and the answers that repeats get again."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import CouponTemplate, IssuedCoupon
from merchants.models import SmartCouponAccount


class PushAddress(models.TextChoices):
    """Which of an account's two addresses was pushed to."""

    COUPON = "coupon", _("create a coupon")
    COUPON_DETAIL = "coupon-detail", _("give a coupon to a customer")


class Push(models.Model):
    """One push by an authenticated account, with the answer it got; refusals too."""

    account = models.ForeignKey(
        SmartCouponAccount,
        models.CASCADE,
        verbose_name=_("smart-coupon account"),
        related_name="pushes",
        db_index=False,
    )
    address = models.CharField(_("address"), max_length=20, choices=PushAddress.choices)
    revision = models.PositiveSmallIntegerField(_("revision"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"))
    body = models.TextField(_("push"), help_text=_("As received."))
    status = models.PositiveSmallIntegerField(_("HTTP status"))
    answer = models.JSONField(_("answer"))
    repeated = models.BooleanField(_("a repeat"), default=False)
    template = models.ForeignKey(
        CouponTemplate,
        models.SET_NULL,
        verbose_name=_("template"),
        null=True,
        blank=True,
        related_name="pushes",
    )
    coupon = models.ForeignKey(
        IssuedCoupon, models.PROTECT, verbose_name=_("coupon"), null=True, blank=True, related_name="pushes"
    )
    blanked_at = models.DateTimeField(_("contents removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("push")
        verbose_name_plural = _("pushes")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["account", "-id"], name="push_of_account"),
            models.Index(fields=["received_at", "id"], condition=Q(blanked_at=None), name="push_to_blank"),
            models.Index(fields=["id"], condition=Q(blanked_at=None, coupon=None), name="push_of_no_coupon"),
        ]

    def __str__(self) -> str:
        return f"{self.get_address_display()} · {self.status}"


class SignatureSeen(models.Model):
    """A moment of revision 3's signature that has been used, and by which push (`smart_coupon.replays`). `under` is the
    encryption key that hashed it."""

    account = models.ForeignKey(SmartCouponAccount, models.CASCADE, related_name="+", db_index=False)
    signed_at = models.BigIntegerField(_("signed at (epoch ms)"))
    digest = models.CharField(max_length=64)
    under = models.CharField(max_length=8, blank=True, default="", db_default="", editable=False)
    seen_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("used signature")
        verbose_name_plural = _("used signatures")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "signed_at"], name="signature_used_once"),
        ]
        indexes = [models.Index(fields=["seen_at"], name="signature_by_age")]

    def __str__(self) -> str:
        return str(self.signed_at)


class PushAnswer(models.Model):
    """The first answer to a push, given again to the same push while the account's repeat window is open.

    The unique key makes equal pushes at the same moment wait for the first (`integrations.smart_coupon.repeats`).
    While dfire is asked to accept what the push made, there is no answer yet: `confirming` is that push, and equal ones
    wait for it until `confirm_until` (`integrations.smart_coupon.confirming`). `under` is the key that hashed it.
    """

    account = models.ForeignKey(SmartCouponAccount, models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=20, choices=PushAddress.choices)
    digest = models.CharField(max_length=64)
    under = models.CharField(max_length=8, blank=True, default="", db_default="", editable=False)
    answered_at = models.DateTimeField()
    answer = models.JSONField(null=True)
    confirming = models.ForeignKey(Push, models.CASCADE, null=True, editable=False, related_name="+", db_index=False)
    confirm_until = models.DateTimeField(_("waits for dfire until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("remembered answer")
        verbose_name_plural = _("remembered answers")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "address", "digest"], name="push_answer_once"),
        ]
        indexes = [
            models.Index(fields=["answered_at"], name="push_answer_by_age"),
            models.Index(
                fields=["confirm_until"], condition=Q(confirm_until__isnull=False), name="push_answer_unconfirmed"
            ),
        ]

    def __str__(self) -> str:
        return self.digest
