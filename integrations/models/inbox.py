"""The inbox: every authentic redemption callback of dfire, durable before it is answered, with what came of it.

Redemptions after a coupon's end that only dfire's list shows stand here too, without parameters.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import IssuedCoupon
from merchants.models import DfireAccount, Merchant


class CallbackState(models.TextChoices):
    """What came of a callback."""

    APPLIED = "applied", _("redeemed")
    REPEATED = "repeated", _("redeemed before")
    UNKNOWN_COUPON = "unknown_coupon", _("no coupon has this code")
    OTHER_ACCOUNT = "other_account", _("the coupon's merchant uses another account")
    REVIEW = "review", _("redeemed, to be looked at")
    SETTLED = "settled", _("settled by hand")
    WAITS = "waits", _("waits for a partner's redemption of the coupon")


OPEN_STATES = (CallbackState.UNKNOWN_COUPON, CallbackState.OTHER_ACCOUNT)  # not applied yet, tried again
UNSETTLED_STATES = (*OPEN_STATES, CallbackState.REVIEW)  # staff may have to decide


class Problem(models.TextChoices):
    """What was unusual about a redemption; kept when it is settled."""

    UNKNOWN_COUPON = "unknown_coupon", _("unknown code")
    OTHER_ACCOUNT = "other_account", _("another account's coupon")
    AFTER_REVOKE = "after_revoke", _("redeemed after it was revoked")
    AFTER_EXPIRY = "after_expiry", _("redeemed after it expired")


class Decision(models.TextChoices):
    """What staff decided."""

    ACCEPTED = "accepted", _("the discount is accepted")
    ASKED = "asked", _("taken up with the shop")
    DISMISSED = "dismissed", _("not a coupon of ours")
    APPLIED = "applied", _("applied to a coupon")


class DfireCallback(models.Model):
    """One redemption as dfire told it. Tried again while it is open; never dropped."""

    account = models.ForeignKey(DfireAccount, models.PROTECT, verbose_name=_("dfire account"), related_name="callbacks")
    digest = models.CharField(max_length=64, editable=False)
    code = models.CharField(_("code"), max_length=64, db_index=True)
    promotion_id = models.CharField(_("promotion ID"), max_length=100, blank=True, default="")
    entity_id = models.CharField(_("dfire entity ID"), max_length=64, blank=True, default="")
    sent_at = models.DateTimeField(_("sent by dfire"))
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    repeats = models.PositiveIntegerField(_("received again"), default=0)
    parameters = models.JSONField(_("as received"))
    state = models.CharField(_("state"), max_length=20, choices=CallbackState.choices)
    suggestion = models.CharField(_("suggested decision"), max_length=300, blank=True, default="")
    coupon = models.ForeignKey(
        IssuedCoupon,
        models.PROTECT,
        verbose_name=_("coupon"),
        null=True,
        blank=True,
        related_name="callbacks",
    )
    # Whose staff see it: the coupon's merchant; without a coupon the one whose entity dfire named, if it is one's.
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), null=True, blank=True, related_name="+", db_index=False
    )
    problem = models.CharField(
        _("problem"), max_length=20, choices=Problem.choices, blank=True, default="", db_default=""
    )
    decision = models.CharField(
        _("decision"), max_length=20, choices=Decision.choices, blank=True, default="", db_default=""
    )
    decided_by = models.CharField(_("decided by"), max_length=160, blank=True, default="", db_default="")
    note = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    tried_at = models.DateTimeField(_("last tried"), null=True, blank=True)
    blanked_at = models.DateTimeField(_("contents removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("redemption callback")
        verbose_name_plural = _("inbox")
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["account", "digest"], name="callback_once"),
            models.CheckConstraint(condition=Q(state__in=CallbackState.values), name="callback_state_known"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=UNSETTLED_STATES), name="callback_unsettled"),
            models.Index(fields=["merchant", "-id"], name="callback_of_merchant"),
            models.Index(
                fields=["settled_at", "id"],
                condition=Q(blanked_at=None, settled_at__isnull=False),
                name="callback_to_blank",
            ),
            models.Index(fields=["id"], condition=Q(blanked_at=None, coupon=None), name="callback_of_no_coupon"),
        ]

    def __str__(self) -> str:
        return f"{self.code} · {self.get_state_display()}"

    @property
    def name_in_trail(self) -> str:
        """Without the code, which is for the coupon's holder alone."""
        return f"#{self.pk}"
