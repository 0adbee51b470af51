"""What home, settlement and budgets add up, kept by the database itself (migration 0007): no list is ever counted.

Triggers on the table of coupons write a row of differences for every statement, in its transaction and without a lock
that others wait for; `coupons.figures.merge` puts rows of one key together now and then. So a figure is always the
**sum** of the rows of its key, and is exact at every moment. Long periods read `RolledFigures` instead of the merged
rows (`coupons.reports.reading`).
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models.template import CouponTemplate
from merchants.models import Merchant, Shop

# By the day of issue, over all of its coupons: how many, and what has become of them by now.
COHORT = ("issued", "delivered", "used", "revoked", "expired")
# By the day and shop of redemption.
REDEMPTION = ("redeemed", "saved_fen", "saved_known", "paid_fen", "paid_known", "spent_fen")
SUMMED = (*COHORT, *REDEMPTION)


class Sums(models.Model):
    """The numbers themselves."""

    issued = models.BigIntegerField(default=0)
    delivered = models.BigIntegerField(default=0)
    used = models.BigIntegerField(default=0)
    revoked = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    redeemed = models.BigIntegerField(default=0)
    saved_fen = models.BigIntegerField(default=0)
    saved_known = models.BigIntegerField(default=0)
    paid_fen = models.BigIntegerField(default=0)
    paid_known = models.BigIntegerField(default=0)
    spent_fen = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class DayFigures(Sums):
    """Numbers of one template, Shanghai day and (of redemptions) shop; only sums over rows mean anything.

    Money in fen. `saved_known` and `paid_known` count the redemptions of which the amount is known. `spent_fen` is what
    redeemed coupons cost: what was saved where it is known, else what they count in the budget.
    """

    # No foreign keys in the database: a difference that arrives after its shop has gone must still cancel out.
    merchant = models.ForeignKey(Merchant, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    template = models.ForeignKey(
        CouponTemplate, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    shop = models.ForeignKey(Shop, models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+")
    day = models.DateField(_("day"))
    merged = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("figures of a day")
        verbose_name_plural = _("figures of days")
        default_permissions = ()
        indexes = [
            models.Index(fields=["merchant", "day"], name="figures_of_merchant"),
            models.Index(fields=["template", "day"], name="figures_of_template"),
            models.Index(fields=["id"], condition=Q(merged=False), name="figures_to_merge"),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} · {self.day}"


class RolledFigures(Sums):
    """Sums of the merged rows of `DayFigures`, kept by triggers on it (migration 0010).

    Without a template: a merchant's day. With one: that template's week, `day` being its Monday.
    """

    merchant = models.ForeignKey(Merchant, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    template = models.ForeignKey(
        CouponTemplate, models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    day = models.DateField(_("day"))

    class Meta:
        verbose_name = _("figures rolled up")
        verbose_name_plural = _("figures rolled up")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "template", "day"], nulls_distinct=False, name="rolled_figures_once"
            )
        ]
        indexes = [
            models.Index(fields=["merchant", "day"], condition=Q(template__isnull=False), name="figures_of_weeks")
        ]

    def __str__(self) -> str:
        return f"{self.template_id or self.merchant_id} · {self.day}"
