"""Orders on which partners' applications redeem coupons: what was asked, and what became of it.

The coupon says what it is; this says whose order it was, so that a repeat of the order is told its present state and
another is told that it came second. The database itself allows one order at a time, and one that wins.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import IssuedCoupon
from integrations.models.outbox import OutboxRow
from integrations.models.partners import PartnerApp
from merchants.models import Merchant, Shop


class OrderState(models.TextChoices):
    """How far an order's redemption is."""

    OPEN = "open", _("being redeemed")
    REDEEMED = "redeemed", _("redeemed")
    LOST = "lost", _("a till was first")
    REFUSED = "refused", _("refused by dfire")
    UNDONE = "undone", _("not redeemed, staff decided")


HOLDING = (OrderState.OPEN, OrderState.REDEEMED)  # no other order has the coupon meanwhile, or ever


class PartnerOrder(models.Model):
    """One order of one app for one coupon. Money in fen; `inferred`: concluded from dfire's list, not answered."""

    app = models.ForeignKey(
        PartnerApp, models.SET_NULL, verbose_name=_("partner app"), null=True, related_name="+", db_index=False
    )
    actor = models.CharField(_("by"), max_length=150)
    coupon = models.ForeignKey(IssuedCoupon, models.PROTECT, verbose_name=_("coupon"), related_name="orders")
    # Whose staff see it: the coupon's own, which never changes.
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+", db_index=False)
    order_id = models.CharField(_("order ID"), max_length=64)
    order_date = models.DateField(_("order date"))
    paid_fen = models.BigIntegerField(_("paid (fen)"))
    saved_fen = models.BigIntegerField(_("saved (fen)"))
    shop = models.ForeignKey(
        Shop, models.SET_NULL, verbose_name=_("shop"), null=True, blank=True, related_name="+", db_index=False
    )
    row = models.ForeignKey(
        OutboxRow, models.SET_NULL, verbose_name=_("outbox row"), null=True, blank=True, related_name="orders"
    )
    state = models.CharField(_("state"), max_length=10, choices=OrderState.choices, default=OrderState.OPEN)
    inferred = models.BooleanField(_("inferred"), default=False, help_text=_("Concluded from dfire's list."))
    code = models.CharField(_("dfire's code"), max_length=50, blank=True, default="")
    message = models.CharField(_("dfire's words"), max_length=500, blank=True, default="")
    decided_by = models.CharField(_("decided by"), max_length=160, blank=True, default="")
    began_at = models.DateTimeField(_("begun"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        verbose_name = _("partner's order")
        verbose_name_plural = _("partners' orders")
        ordering = ["-id"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="order_state_known"),
            models.UniqueConstraint(fields=["app", "coupon", "order_id"], name="order_once_for_a_coupon"),
            models.UniqueConstraint(
                fields=["coupon"], condition=Q(state__in=HOLDING), name="order_one_holds_the_coupon"
            ),
        ]
        indexes = [
            models.Index(fields=["began_at"], condition=Q(state=OrderState.OPEN), name="order_open"),
            models.Index(fields=["merchant", "-id"], name="order_of_merchant"),
            models.Index(
                fields=["app", "settled_at"], condition=Q(state=OrderState.REDEEMED), name="order_redeemed_by_app"
            ),
        ]

    def __str__(self) -> str:
        return self.order_id
