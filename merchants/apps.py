"""The merchants application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MerchantsConfig(AppConfig):
    """Registers the application under its Chinese and English name."""

    name = "merchants"
    verbose_name = _("Merchants")
