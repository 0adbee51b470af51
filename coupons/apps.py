"""The coupons application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CouponsConfig(AppConfig):
    """Registers the application under its Chinese and English name."""

    name = "coupons"
    verbose_name = _("Coupons")
