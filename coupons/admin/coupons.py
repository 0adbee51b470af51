"""Issued coupons: a list to find them in and one page with everything about one."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons import lifecycle
from coupons.admin.coupon_actions import CouponActions
from coupons.admin.extension import timeline_of
from coupons.admin.filters import FlaggedFilter, IssuedAtFilter, RedeemedAtFilter
from coupons.admin.finding import customers_named
from coupons.admin.wording import (
    DELIVERY_VARIANTS,
    STATUS_VARIANTS,
    flag_words,
    moment,
    source_words,
    term_lines,
)
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from merchants.admin.badges import badge, mono, notice, page_of
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter, OwnSearchFilter
from merchants.admin.masking import shown

FIELDSETS = [
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
class IssuedCouponAdmin(CouponActions, ReadOnly, BigTable, ScopedAdmin):
    """Coupons in customers' hands. Nothing is edited here; what happens to a coupon is an action."""

    list_display = [
        "code_shown", "template_shown", "customer", "status_shown", "delivery_shown", "issued_on", "until_shown",
    ]  # fmt: skip
    list_display_links = ["code_shown"]
    list_select_related = ["template", "customer", "merchant"]
    list_filter = [
        ("merchant", OwnRelatedFilter),
        ("status", ChoicesDropdownFilter),
        ("delivery", ChoicesDropdownFilter),
        ("source", ChoicesDropdownFilter),
        ("template", OwnSearchFilter),
        FlaggedFilter,
        ("issued_at", IssuedAtFilter),
        ("redeemed_at", RedeemedAtFilter),
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
        """Customers' pages link to their coupons."""
        return lookup == "customer__id__exact" or super().lookup_allowed(lookup, value, request)

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
        return super().change_view(
            request, object_id, form_url, {"timeline": entries, **(extra_context or {})}
        )

    @display(description=_("code"))
    def code_shown(self, coupon: IssuedCoupon) -> str:
        """The code."""
        return mono(coupon.code)

    @display(description=_("template"))
    def template_shown(self, coupon: IssuedCoupon) -> str:
        """A link to the template."""
        return page_of(coupon.template)

    @display(description=_("status"), ordering="status")
    def status_shown(self, coupon: IssuedCoupon) -> str:
        """The status as anyone outside sees it, and whether staff should look at the coupon."""
        status = lifecycle.status_now(coupon)
        shown_status = badge(CouponStatus(status).label, STATUS_VARIANTS[status])
        if not coupon.flag:
            return shown_status
        return format_html("{} {}", shown_status, badge("!", "warning", hint=flag_words(coupon.flag)))

    @display(description=_("delivery"), ordering="delivery")
    def delivery_shown(self, coupon: IssuedCoupon) -> str:
        """How far it is on its way to dfire."""
        return badge(coupon.get_delivery_display(), DELIVERY_VARIANTS.get(coupon.delivery, "default"))

    @display(description=_("issued at"), ordering="issued_at")
    def issued_on(self, coupon: IssuedCoupon) -> str:
        """When."""
        return moment(coupon.issued_at)

    @display(description=_("valid until"), ordering="valid_until")
    def until_shown(self, coupon: IssuedCoupon) -> str:
        """Its last second."""
        return moment(coupon.valid_until)

    @display(description=_("for staff to look at"))
    def flag_shown(self, coupon: IssuedCoupon) -> str:
        """What is unusual about it."""
        return notice(flag_words(coupon.flag)) if coupon.flag else "-"

    @display(description=_("holder"))
    def holder_shown(self, coupon: Any) -> str:
        """The customer, as far as the user may see."""
        return page_of(coupon.customer, shown(coupon.viewer, coupon.customer.identifier))

    @display(description=_("mobile"))
    def mobile_shown(self, coupon: Any) -> str:
        """The customer's number, as far as the user may see."""
        return mono(shown(coupon.viewer, coupon.customer.mobile)) if coupon.customer.mobile else "-"

    @display(description=_("valid"))
    def valid_shown(self, coupon: IssuedCoupon) -> str:
        """From when to when."""
        return format_html("{} – {}", moment(coupon.valid_from), moment(coupon.valid_until))

    @display(description=_("valid at dfire until"))
    def dfire_until_shown(self, coupon: IssuedCoupon) -> str:
        """What dfire says."""
        return moment(coupon.dfire_valid_until)

    @display(description=_("issued at"))
    def issued_shown(self, coupon: IssuedCoupon) -> str:
        """When and through which door."""
        return format_html("{} · {}", moment(coupon.issued_at), source_words(coupon.source))

    @display(description=_("redeemed at"))
    def used_shown(self, coupon: IssuedCoupon) -> str:
        """When, through which door, in which shop."""
        if coupon.redeemed_at is None:
            return "-"
        said = [(moment(coupon.redeemed_at),), (source_words(coupon.redeemed_through),), (coupon.redeemed_shop or "",)]
        return format_html_join(" · ", "{}", [words for words in said if words[0]])

    @display(description=_("terms"))
    def terms_shown(self, coupon: IssuedCoupon) -> str:
        """What the holder was promised."""
        rows = format_html_join(
            "", "<dt>{}</dt><dd>{}</dd>", term_lines(coupon.version.terms, coupon.merchant)
        )
        return format_html('<dl class="portal-terms">{}</dl>', rows)
