"""Filters of the coupon lists that Django has no ready ones for."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from coupons.models import CouponTemplate, IssuedCoupon
from coupons.reports import near_limits
from merchants.admin.filters import LocalDaysFilter
from merchants.clock import local_day


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


class ValidUntilFilter(LocalDaysFilter):
    """Coupons by their last day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("valid until")


class NearLimitFilter(DropdownFilter):
    """Templates that are being issued and have little left of their stock or their budget."""

    title = _("stock and budget")
    parameter_name = "limit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choice."""
        return [("near", _("80% or more used"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CouponTemplate]) -> QuerySet[CouponTemplate]:
        """The templates of the chosen one."""
        return near_limits(queryset, local_day(timezone.now())) if self.value() == "near" else queryset
