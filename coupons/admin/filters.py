"""Filters of the coupon lists that Django has no ready ones for."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from coupons.choices import BatchKind, CouponStatus, Delivery
from coupons.models import Batch, CouponTemplate, IssuedCoupon
from coupons.reports import near_limits
from merchants.admin.filters import LocalDaysFilter, OwnSearchFilter
from merchants.clock import local_day
from merchants.models import Customer
from merchants.scopes import visible_merchants


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


def _within(days: int) -> Any:
    return ngettext_lazy("and ends within %(days)s day", "and ends within %(days)s days", days) % {"days": days}


class RedeemedShopFilter(OwnSearchFilter):
    """Coupons by the shop that redeemed them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("redeemed in the shop")


class WaitingFilter(DropdownFilter):
    """Coupons that wait for their customer's binding and will be over soon: whom to ask first."""

    title = _("waits for a binding")
    parameter_name = "waits"
    days = (1, 3, 7, 30)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        words = [(str(days), _within(days)) for days in self.days]
        return [*words, ("any", _("whenever it ends"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[IssuedCoupon]) -> QuerySet[IssuedCoupon]:
        """Those that can still be used, by the index that holds nothing else."""
        if self.value() is None:
            return queryset
        now = timezone.now()
        waiting = queryset.filter(status=CouponStatus.ISSUED, delivery=Delivery.WAITING, valid_until__gte=now)
        if self.value() in map(str, self.days):
            waiting = waiting.filter(valid_until__lte=now + timedelta(days=int(str(self.value()))))
        return waiting


class BatchFilter(DropdownFilter):
    """Coupons of one batch; the latest of the user's merchants can be chosen, any can be named in an address."""

    title = _("batch")
    parameter_name = "batch__id__exact"
    most = 50

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        latest = Batch.objects.filter(merchant__in=visible_merchants(request.user), kind=BatchKind.ISSUE)
        return [(str(batch.pk), f"{batch} · {local_day(batch.created_at)}") for batch in latest[: self.most]]

    def has_output(self) -> bool:
        """Whether it is shown: also for a batch that only the address names."""
        return super().has_output() or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[IssuedCoupon]) -> QuerySet[IssuedCoupon]:
        """The coupons of the chosen one; what is no number does not restrict."""
        value = self.value() or ""
        return (
            queryset.filter(batch=int(value)) if value.isascii() and value.isdigit() and len(value) < 19 else queryset
        )


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
