"""That a redeemed coupon was replaced by another, because its order was cancelled."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.models.coupon import IssuedCoupon


class Reissue(models.Model):
    """Links a redeemed coupon to the one that replaces it: each is replaced once, and replaces one.

    Who did it and why stands in the history of both. The replacement stands in the place of the first: it takes nothing
    from stock, limits and budget.
    """

    original = models.OneToOneField(
        IssuedCoupon, models.PROTECT, verbose_name=_("redeemed coupon"), related_name="replaced_by"
    )
    replacement = models.OneToOneField(
        IssuedCoupon, models.PROTECT, verbose_name=_("replacement"), related_name="replaces"
    )
    at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("replacement")
        verbose_name_plural = _("replacements")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.original} → {self.replacement}"
