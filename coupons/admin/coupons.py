"""Issued coupons: a list to find them in and one page with everything about one."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from coupons.admin.coupon_actions import CouponActions
from coupons.admin.coupon_columns import CouponColumns
from coupons.admin.export_columns import COUPON
from coupons.admin.extension import timeline_of
from coupons.admin.filters import FlaggedFilter, IssuedAtFilter, RedeemedAtFilter, ShopToldFilter, ValidUntilFilter
from coupons.admin.finding import customers_named
from coupons.admin.why import WhyPage
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


@admin.register(IssuedCoupon)
class IssuedCouponAdmin(WhyPage, CouponActions, CouponColumns, ReadOnly, BigTable, ScopedAdmin):
    """Coupons in customers' hands. Nothing is edited here; what happens to a coupon is an action."""

    list_display = [
        "code_shown", "template_shown", "customer", "status_shown", "delivery_shown", "issued_on", "until_shown",
    ]  # fmt: skip
    list_display_links = ["code_shown"]
    list_select_related = ["template", "customer", "merchant"]
    export_columns = COUPON
    export_related = ["redeemed_shop", "batch"]
    list_filter = [
        ("merchant", OwnRelatedFilter),
        ("status", ChoicesDropdownFilter),
        ("delivery", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("template", OwnSearchFilter),
        FlaggedFilter,
        ("issued_at", IssuedAtFilter),
        ("redeemed_at", RedeemedAtFilter),
        ("redeemed_shop", OwnSearchFilter),
        ShopToldFilter,
        ("valid_until", ValidUntilFilter),
    ]
    search_fields = ["code"]
    search_help_text = _("Code, or the customer's mobile, identifier or openid")
    ordering = ["-id"]
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
        """Customers' and batches' pages link to their coupons."""
        return lookup in ("customer__id__exact", "batch__id__exact") or super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By the beginning of the code, or by a customer's whole number, identifier or openid: each by its index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        holders = customers_named(request, term)
        return queryset.filter(Q(code__startswith=term) | Q(customer__in=holders)), False

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
