"""Filters of the coupon lists that Django has no ready ones for."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from coupons.models import IssuedCoupon
from merchants.admin.filters import LocalDaysFilter


class FlaggedFilter(DropdownFilter):
    """Coupons that staff should look at."""

    title = _("for staff to look at")
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[IssuedCoupon]) -> QuerySet[IssuedCoupon]:
        """The coupons of the chosen one."""
        if self.value() == "yes":
            return queryset.exclude(flag="")
        return queryset.filter(flag="") if self.value() == "no" else queryset


class IssuedAtFilter(LocalDaysFilter):
    """Coupons by when they were issued."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("issued at")


class RedeemedAtFilter(LocalDaysFilter):
    """Coupons by when they were redeemed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("redeemed at")


class ShopToldFilter(DropdownFilter):
    """Redeemed coupons by whether it is known in which shop."""

    title = _("shop of redemption")
    parameter_name = "shop_told"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [("yes", _("told")), ("no", _("shop not told"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[IssuedCoupon]) -> QuerySet[IssuedCoupon]:
        """The redeemed coupons of the chosen one."""
        chosen = {"yes": False, "no": True}.get(self.value() or "")
        if chosen is None:
            return queryset
        return queryset.filter(redeemed_at__isnull=False, redeemed_shop__isnull=chosen)
