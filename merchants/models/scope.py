"""Which merchants a member of staff may see."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from merchants.models.merchant import Merchant


class MerchantScope(models.Model):
    """Opens some merchants to one member of staff; administrators see all, others what is named here."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        verbose_name=_("member of staff"),
        related_name="merchant_scope",
    )
    merchants = models.ManyToManyField(Merchant, verbose_name=_("merchants"), related_name="scopes", blank=True)

    class Meta:
        verbose_name = _("merchant scope")
        verbose_name_plural = _("merchant scopes")

    def __str__(self) -> str:
        return str(self.user)
