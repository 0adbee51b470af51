"""The calls of the partner API as their partners and staff look back at them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import IssuedCoupon
from integrations.models.partners import ApiKey, PartnerApp
from merchants.models import Merchant


class ApiCall(models.Model):
    """One call of a known app with its answer, both cut and masked before they are stored
    (`integrations.partner_api.call_log`)."""

    app = models.ForeignKey(PartnerApp, models.CASCADE, verbose_name=_("partner app"), related_name="+", db_index=False)
    key = models.ForeignKey(ApiKey, models.SET_NULL, verbose_name=_("API key"), null=True, blank=True, related_name="+")
    # Whose staff see it, where the call spoke of one merchant.
    merchant = models.ForeignKey(
        Merchant, models.SET_NULL, verbose_name=_("merchant"), null=True, blank=True, related_name="+", db_index=False
    )
    coupon = models.ForeignKey(
        IssuedCoupon, models.SET_NULL, verbose_name=_("coupon"), null=True, blank=True, related_name="+", db_index=False
    )
    at = models.DateTimeField(_("time"))
    method = models.CharField(_("method"), max_length=10)
    route = models.CharField(_("call"), max_length=60)
    path = models.CharField(_("address"), max_length=300, blank=True)
    status = models.PositiveSmallIntegerField(_("HTTP status"))
    code = models.CharField(_("error code"), max_length=60, blank=True, default="")
    duration_ms = models.PositiveIntegerField(_("took (ms)"))
    request_id = models.CharField(_("request ID"), max_length=64, blank=True, default="")
    address = models.CharField(_("caller's address"), max_length=64, blank=True, default="")
    body = models.TextField(_("request"), blank=True, default="")
    answer = models.TextField(_("answer"), blank=True, default="")
    blanked_at = models.DateTimeField(_("contents removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("check_signatures", _("Can use the signature tool"))]
        indexes = [
            models.Index(fields=["app", "-at"], include=["status"], name="api_call_of_app"),
            models.Index(fields=["merchant", "-id"], name="api_call_of_merchant"),
            models.Index(fields=["coupon", "id"], condition=Q(coupon__isnull=False), name="api_call_of_coupon"),
            models.Index(fields=["request_id"], name="api_call_by_request"),
            models.Index(fields=["at"], name="api_call_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.route} · {self.status}"
