"""Issued coupons: a list to find them in and one page with everything about one."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from coupons.admin.coupon_actions import CouponActions
from coupons.admin.coupon_columns import CouponColumns
from coupons.admin.extension import timeline_of
from coupons.admin.filters import (
    BatchFilter,
    ExpiryFilter,
    FlaggedFilter,
    IssuedAtFilter,
    RedeemedAtFilter,
    WaitingFilter,
)
from coupons.admin.finding import coupons_named, is_shortened, tidy
from coupons.models import IssuedCoupon
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter, OwnSearchFilter

FIELDSETS: list[tuple[Any, dict[str, Any]]] = [
    (
        None,
        {
            "fields": [
                "flag_shown", ("status_shown", "delivery_shown"), ("template_shown", "merchant"),
                ("holder_shown", "mobile_shown"), ("valid_shown", "dfire_until_shown"), ("issued_shown", "used_shown"),
            ]
        },
    ),
    (_("Terms it was issued under"), {"fields": ["terms_shown"], "classes": ["collapse"]}),
]  # fmt: skip

_ORDERS = (
    ({"waits"}, "valid_until"),
    ({"redeemed_at_from", "redeemed_at_to"}, "-redeemed_at"),
    ({"issued_at_from", "issued_at_to"}, "-issued_at"),
)


@admin.register(IssuedCoupon)
class IssuedCouponAdmin(CouponActions, CouponColumns, ReadOnly, BigTable, ScopedAdmin):
    """Coupons in customers' hands. Nothing is edited here; what happens to a coupon is an action."""

    list_display = [
        "code_shown", "template_shown", "customer_shown", "status_shown", "delivery_shown", "issued_on", "until_shown",
        "used_on",
    ]  # fmt: skip
    list_display_links = ["code_shown"]
    list_select_related = ["template", "customer", "merchant", "redeemed_shop"]
    list_filter = [
        ("merchant", OwnRelatedFilter),
        ("status", ChoicesDropdownFilter),
        ("delivery", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("template", OwnSearchFilter),
        WaitingFilter,
        FlaggedFilter,
        ("redeemed_shop", OwnSearchFilter),
        BatchFilter,
        ("issued_at", IssuedAtFilter),
        ("redeemed_at", RedeemedAtFilter),
        ("valid_until", ExpiryFilter),
    ]
    search_fields = ["code"]
    search_help_text = _("Code (several may be pasted), or the customer's mobile, identifier or openid")
    fieldsets = FIELDSETS
    readonly_fields = [
        "flag_shown", "status_shown", "delivery_shown", "template_shown", "merchant", "holder_shown", "mobile_shown",
        "valid_shown", "dfire_until_shown", "issued_shown", "used_shown", "terms_shown",
    ]  # fmt: skip
    change_form_outer_after_template = "admin/coupons/issuedcoupon/timeline.html"
    empty_hint = _("Coupons are issued on the page of a published template, by pushes and by partner apps.")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The box about what is unusual, only where there is something."""
        if obj is None or obj.flag:
            return FIELDSETS
        shown_fields = [name for name in FIELDSETS[0][1]["fields"] if name != "flag_shown"]
        return [(None, {"fields": shown_fields}), *FIELDSETS[1:]]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Customers' pages link to their coupons."""
        return lookup == "customer__id__exact" or super().lookup_allowed(lookup, value, request)

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
                return [order, "-id"]
        return ["-id"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The coupon, which remembers who looks at it: what is shown of the holder depends on that."""
        coupon = super().get_object(request, object_id, from_field)
        if coupon is not None:
            coupon.viewer = request
        return coupon

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with the timeline below."""
        coupon = self.get_object(request, unquote(object_id))
        entries = timeline_of(request, coupon) if coupon is not None else []
        return super().change_view(request, object_id, form_url, {"timeline": entries, **(extra_context or {})})
