"""Filters of the coupon lists that Django has no ready ones for."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from merchants.admin.filters import LocalDaysFilter
from merchants.models import Customer


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


class WaitingCouponsFilter(DropdownFilter):
    """Customers for whose binding coupons wait, found by the index of these coupons."""

    title = _("coupons that wait for the binding")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choice."""
        return [("yes", _("has some"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """The customers who have some."""
        waiting = IssuedCoupon.objects.filter(delivery=Delivery.WAITING, status=CouponStatus.ISSUED)
        return queryset.filter(pk__in=waiting.order_by().values("customer")) if self.value() == "yes" else queryset
