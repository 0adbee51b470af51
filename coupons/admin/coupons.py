"""Issued coupons: a list to find them in and one page with everything about one."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from coupons.admin.coupon_actions import CouponActions
from coupons.admin.coupon_columns import CouponColumns
from coupons.admin.coupon_page import CouponPage
from coupons.admin.export_columns import COUPON
from coupons.admin.filters import (
    BatchFilter,
    FlaggedFilter,
    IssuedAtFilter,
    RedeemedAtFilter,
    RedeemedShopFilter,
    ShopToldFilter,
    ValidUntilFilter,
    WaitingFilter,
)
from coupons.admin.finding import coupons_named, is_shortened, tidy
from coupons.admin.why import WhyPage
from coupons.models import IssuedCoupon
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter, OwnSearchFilter

_REDEEMED, _ISSUED = {"redeemed_at_from", "redeemed_at_to"}, {"issued_at_from", "issued_at_to"}
_ORDERS = (
    ({"waits"}, ["valid_until", "id"]),
    (_REDEEMED, ["-redeemed_at", "-id"]),
    (_ISSUED, ["-issued_at", "-id"]),
)


@admin.register(IssuedCoupon)
class IssuedCouponAdmin(WhyPage, CouponActions, CouponColumns, CouponPage, ReadOnly, BigTable, ScopedAdmin):
    """Coupons in customers' hands. Nothing is edited here; what happens to a coupon is an action."""

    list_display = [
        "code_shown", "template_shown", "customer_shown", "status_shown", "delivery_shown", "issued_on", "until_shown",
        "used_on",
    ]  # fmt: skip
    list_display_links = ["code_shown"]
    list_select_related = ["template", "customer", "merchant", "redeemed_shop"]
    export_columns = COUPON
    export_related = ["redeemed_shop", "batch"]
    list_filter = [
        ("merchant", OwnRelatedFilter),
        ("status", ChoicesDropdownFilter),
        ("delivery", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("template", OwnSearchFilter),
        WaitingFilter,
        FlaggedFilter,
        ("redeemed_shop", RedeemedShopFilter),
        BatchFilter,
        ("issued_at", IssuedAtFilter),
        ("redeemed_at", RedeemedAtFilter),
        ShopToldFilter,
        ("valid_until", ValidUntilFilter),
    ]
    indexed_by_merchant = ({"status__exact"}, _ISSUED, _REDEEMED)
    search_fields = ["code"]
    search_help_text = _("Code (several may be pasted), or the customer's mobile, identifier or openid")
    empty_hint = _("Coupons are issued on the page of a published template, by pushes and by partner apps.")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Customers' and batches' pages link to their coupons."""
        return lookup in ("customer__id__exact", "batch__id__exact") or super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By codes, the beginning of one, or a customer's whole number, identifier or openid: each by its index."""
        if not tidy(search_term):
            return queryset, False
        if is_shortened(search_term):
            messages.warning(request, gettext("A spreadsheet has shortened this code. Format its column as text."))
        return queryset.filter(coupons_named(request, search_term)), False

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """The newest first; of chosen days the latest first, and of what ends soon the soonest: as its index stands."""
        given = {name for name, value in request.GET.items() if value}
        for names, order in _ORDERS:
            if names & given:
                return order
        return ["-id"]
