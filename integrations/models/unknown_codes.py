"""How many codes that are not there an app has asked for (`integrations.partner_api.guessing`).

Apart from `PartnerApp`, because calls write it and staff never do.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.partners import PartnerApp


class UnknownCodes(models.Model):
    """What stands against an app; `count` grows less by time and by coupons that it redeems."""

    app = models.OneToOneField(
        PartnerApp, models.CASCADE, verbose_name=_("partner app"), related_name="unknown_codes", primary_key=True
    )
    count = models.FloatField(_("codes that count against it"), default=0)
    counted_at = models.DateTimeField(_("last unknown code"))
    latest = models.JSONField(default=list, editable=False)  # keyed hashes, cut, of those that it asked for last
    held_at = models.DateTimeField(_("held since"), null=True, blank=True)

    class Meta:
        verbose_name = _("unknown codes of an app")
        verbose_name_plural = _("unknown codes")
        ordering = ["app"]
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return str(self.app)
