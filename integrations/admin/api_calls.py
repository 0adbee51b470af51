"""Calls of the partner API, one by one, for whoever looks after a partner: to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from integrations.admin.filters import StatusClassFilter
from integrations.admin.signature_tool import SignaturePage
from integrations.admin.wording import removed_words
from integrations.models import ApiCall
from integrations.partner_api.calls import ROUTES, route_words
from merchants.admin.badges import Variant, badge, mono, page_of, pre
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import LocalDaysFilter, OwnRelatedFilter
from merchants.admin.masking import masked_json


def status_badge(call: ApiCall) -> str:
    """The status we answered with, and the code of a refusal."""
    variant: Variant = "success" if call.status < 400 else "danger" if call.status >= 500 else "warning"
    return badge(call.status, variant, hint=call.code)


class RouteFilter(DropdownFilter):
    """Calls by what was called."""

    title = _("call")
    parameter_name = "route"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return list(ROUTES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
        """The calls of the chosen one."""
        return queryset.filter(route=self.value()) if self.value() else queryset


@admin.register(ApiCall)
class ApiCallAdmin(SignaturePage, ReadOnly, BigTable, ScopedAdmin):
    """All calls of known keys; staff see those about their merchants."""

    list_display = ["at", "app_shown", "call_shown", "status_shown", "code", "duration_ms", "merchant", "coupon_shown"]
    list_display_links = ["at"]
    list_select_related = ["app", "merchant", "coupon"]
    indexed_by_merchant = (set(),)
    list_filter = [("merchant", OwnRelatedFilter), StatusClassFilter, RouteFilter, ("at", LocalDaysFilter)]
    search_fields = ["request_id__exact", "coupon__code__exact"]
    search_help_text = _("Request ID or coupon code")
    ordering = ["-id"]
    fields = [
        ("at", "app_shown"), ("call_shown", "status_shown"), ("path_shown", "code"), ("merchant", "coupon_shown"),
        ("key_shown", "address"), ("request_id", "duration_ms"), "body_shown", "answer_shown",
    ]  # fmt: skip
    readonly_fields = [
        "at", "app_shown", "call_shown", "status_shown", "path_shown", "code", "merchant", "coupon_shown", "key_shown",
        "address", "request_id", "duration_ms", "body_shown", "answer_shown",
    ]  # fmt: skip
    empty_hint = _("Calls of partners' applications stand here. A partner app's console says how to try one.")

    @display(description=_("partner app"))
    def app_shown(self, call: ApiCall) -> str:
        """A link to the app's console."""
        address = reverse("admin:integrations_partnerapp_console", args=[call.app_id])
        return format_html('<a href="{}" class="text-link">{}</a>', address, call.app)

    @display(description=_("call"), ordering="route")
    def call_shown(self, call: ApiCall) -> str:
        """What was called."""
        return route_words(call)

    @display(description=_("HTTP status"), ordering="status")
    def status_shown(self, call: ApiCall) -> str:
        """What we answered."""
        return status_badge(call)

    @display(description=_("coupon"))
    def coupon_shown(self, call: ApiCall) -> str:
        """A link to the coupon."""
        return page_of(call.coupon)

    @display(description=_("API key"))
    def key_shown(self, call: ApiCall) -> str:
        """All of the key that is kept readable."""
        return mono(f"{call.key.prefix}…") if call.key else "-"

    @display(description=_("address"))
    def path_shown(self, call: ApiCall) -> str:
        """The address, masked when it was stored."""
        return removed_words(call) or mono(call.path)

    @display(description=_("request"))
    def body_shown(self, call: ApiCall) -> str:
        """What was sent, masked when it was stored."""
        return removed_words(call) or pre(masked_json(call.body) if call.body else "")

    @display(description=_("answer"))
    def answer_shown(self, call: ApiCall) -> str:
        """What was answered, masked when it was stored."""
        return "-" if call.blanked_at else pre(masked_json(call.answer) if call.answer else "")
