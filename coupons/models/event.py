"""The history of an issued coupon: appended to, never changed (a trigger in the database sees to it)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.choices import EventKind
from coupons.models.coupon import IssuedCoupon


class CouponEvent(models.Model):
    """One thing that happened to a coupon. Holds ids and facts, no personal data, so that it can stay for good."""

    coupon = models.ForeignKey(
        IssuedCoupon, models.PROTECT, verbose_name=_("coupon"), related_name="events", db_index=False
    )
    at = models.DateTimeField(_("time"))
    kind = models.CharField(_("what happened"), max_length=20, choices=EventKind.choices)
    actor = models.CharField(
        _("by"), max_length=150, help_text=_("staff:name, push:account, api:app, dfire or portal.")
    )
    data = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("coupon event")
        verbose_name_plural = _("coupon events")
        ordering = ["id"]
        indexes = [models.Index(fields=["coupon", "id"], name="event_of_coupon")]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.actor}"
