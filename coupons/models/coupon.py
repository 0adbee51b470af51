"""One coupon in one customer's hands."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coupons.choices import CouponStatus, Delivery, Source
from coupons.models.template import CouponTemplate, TemplateVersion
from merchants.models import Customer, Merchant, Shop, SmartCouponAccount


class IssuedCoupon(models.Model):
    """A coupon with its code. `status` and `delivery` are written by `coupons.lifecycle` alone."""

    code = models.CharField(_("code"), max_length=16)  # unique by the constraint below: without an index for LIKE
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+", db_index=False)
    template = models.ForeignKey(
        CouponTemplate, models.PROTECT, verbose_name=_("template"), related_name="coupons", db_index=False
    )
    version = models.ForeignKey(TemplateVersion, models.PROTECT, verbose_name=_("terms"), related_name="coupons")
    customer = models.ForeignKey(Customer, models.PROTECT, verbose_name=_("customer"), related_name="coupons")
    status = models.CharField(_("status"), max_length=10, choices=CouponStatus.choices, default=CouponStatus.ISSUED)
    delivery = models.CharField(_("delivery"), max_length=10, choices=Delivery.choices, default=Delivery.QUEUED)
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), help_text=_("The last second at which it is valid."))
    source = models.CharField(_("issued through"), max_length=10, choices=Source.choices)
    source_account = models.ForeignKey(
        SmartCouponAccount,
        models.PROTECT,
        verbose_name=_("pushed by"),
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    issued_at = models.DateTimeField(_("issued"))

    # Under whom dfire holds it: stays as it was delivered, whatever is bound to the customer later.
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    delivered_appid = models.CharField(max_length=64, blank=True, default="")
    delivered_openid = models.CharField(max_length=128, blank=True, default="")
    delivered_mobile = models.CharField(max_length=11, blank=True, default="")
    dfire_valid_until = models.DateTimeField(_("valid at dfire until"), null=True, blank=True)

    redeemed_at = models.DateTimeField(_("redeemed"), null=True, blank=True)
    redeemed_through = models.CharField(
        _("redeemed through"), max_length=10, choices=Source.choices, blank=True, default=""
    )
    redeemed_shop = models.ForeignKey(
        Shop, models.SET_NULL, verbose_name=_("redeemed at"), null=True, blank=True, related_name="+", db_index=False
    )
    # What is known of the bill, and what the coupon counts in its template's budget (fen). A till does not say.
    saved_fen = models.BigIntegerField(_("saved (fen)"), null=True, blank=True)
    paid_fen = models.BigIntegerField(_("paid (fen)"), null=True, blank=True)
    cost_fen = models.BigIntegerField(_("cost (fen)"), null=True, blank=True)
    batch = models.ForeignKey(
        "coupons.Batch",
        models.PROTECT,
        verbose_name=_("batch"),
        null=True,
        blank=True,
        related_name="coupons",
        db_index=False,
    )
    ended_at = models.DateTimeField(_("revoked or expired"), null=True, blank=True)
    flag = models.CharField(_("for staff to look at"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("issued coupon")
        verbose_name_plural = _("issued coupons")
        ordering = ["-id"]
        permissions = [
            ("issue_issuedcoupon", _("Can issue coupons")),
            ("revoke_issuedcoupon", _("Can revoke coupons")),
            ("transfer_issuedcoupon", _("Can transfer coupons")),
            ("reissue_issuedcoupon", _("Can replace redeemed coupons")),
            ("decide_issuedcoupon", _("Can decide redemptions that dfire leaves open")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="coupons_issuedcoupon_code_key"),
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9]{16}$"), name="coupon_code_is_16_digits"),
            models.CheckConstraint(condition=Q(status__in=CouponStatus.values), name="coupon_status_known"),
            models.CheckConstraint(condition=Q(delivery__in=Delivery.values), name="coupon_delivery_known"),
            models.CheckConstraint(
                condition=Q(status=CouponStatus.REDEEMED, redeemed_at__isnull=False)
                | (~Q(status=CouponStatus.REDEEMED) & Q(redeemed_at__isnull=True)),
                name="coupon_redeemed_has_its_time",
            ),
            models.CheckConstraint(condition=Q(valid_from__lte=F("valid_until")), name="coupon_validity_in_order"),
        ]
        indexes = [
            models.Index(fields=["merchant", "id"], name="coupon_by_merchant"),
            models.Index(fields=["source_account"], condition=Q(source_account__isnull=False), name="coupon_pushed_by"),
            models.Index(fields=["redeemed_shop"], condition=Q(redeemed_shop__isnull=False), name="coupon_redeemed_in"),
            models.Index(fields=["template", "customer"], name="coupon_of_person"),
            models.Index(fields=["valid_until"], condition=Q(status=CouponStatus.ISSUED), name="coupon_due_to_expire"),
            models.Index(
                fields=["valid_until", "id"],
                include=["merchant"],
                condition=Q(status=CouponStatus.ISSUED, delivery=Delivery.WAITING),
                name="coupon_waits_until",
            ),
            models.Index(
                fields=["merchant", "valid_until"],
                condition=Q(status=CouponStatus.ISSUED, delivery=Delivery.WAITING),
                name="coupon_of_merchant_waits",
            ),
            models.Index(fields=["batch", "id"], condition=Q(batch__isnull=False), name="coupon_of_batch"),
            # What staff narrow the list by, in its order (read backwards): of all merchants, and of each. New rows come
            # at the end of an ascending index, which leaves its pages full.
            models.Index(fields=["status", "id"], name="coupon_of_status"),
            models.Index(fields=["merchant", "status", "id"], name="coupon_of_merchants_status"),
            models.Index(fields=["issued_at", "id"], name="coupon_issued"),
            models.Index(fields=["merchant", "issued_at", "id"], name="coupon_of_merchant_issued"),
            models.Index(fields=["redeemed_at", "id"], condition=Q(redeemed_at__isnull=False), name="coupon_redeemed"),
            models.Index(
                fields=["merchant", "redeemed_at", "id"],
                condition=Q(redeemed_at__isnull=False),
                name="coupon_of_merchant_redeemed",
            ),
            models.Index(
                fields=["source_account", "id"],
                condition=Q(status=CouponStatus.REDEEMED, source_account__isnull=False),
                name="coupon_pushed_redeemed",
            ),
        ]

    def __str__(self) -> str:
        return self.code
