"""The coupons application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CouponsConfig(AppConfig):
    """Registers the application under its Chinese and English name."""

    name = "coupons"
    verbose_name = _("Coupons")

    def ready(self) -> None:
        """Say what of the tables the audit trail does not look at: what counts, and how far a batch is."""
        from merchants.audit.watching import watch

        watch(
            coupons_coupontemplate=("id", "coupon_id", "issued_count", "committed_fen", "created_at"),
            coupons_templateversion=("id", "dfire_id", "created_at", "saved_at"),
            coupons_batch=(
                *("id", "created_by_id", "created_at", "started_at", "finished_at"),
                *("total", "done", "refused", "bad", "position", "problem", "summary"),
            ),
        )
