"""The inbox: redemptions that dfire told, and what staff can do about those that fit no coupon yet."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integrations.admin.filters import OpenFilter
from integrations.admin.inbox_actions import CallbackActions
from integrations.admin.inbox_columns import CallbackColumns
from integrations.models import DfireCallback
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.scopes import visible_merchants


@admin.register(DfireCallback)
class DfireCallbackAdmin(CallbackActions, CallbackColumns, ReadOnly, BigTable, ScopedAdmin):
    """Callbacks are kept as dfire sent them; staff settle the open ones."""

    list_display = [
        "code_shown",
        "state_shown",
        "suggestion_shown",
        "coupon_shown",
        "account",
        "sent_at",
        "received_at",
    ]
    list_select_related = ["coupon", "account"]
    list_filter = [OpenFilter, ("state", ChoicesDropdownFilter)]
    search_fields = ["code__exact"]
    search_help_text = _("Coupon code")
    ordering = ["-id"]
    fields = [
        "suggestion_full", ("code_shown", "state_shown"), ("coupon_shown", "account"), ("promotion_id", "entity_id"),
        ("sent_at", "received_at"), ("tried_at", "settled_at"), "repeats", "parameters_shown",
    ]  # fmt: skip
    readonly_fields = [
        "suggestion_full", "code_shown", "state_shown", "coupon_shown", "account", "promotion_id", "entity_id",
        "sent_at", "received_at", "tried_at", "settled_at", "repeats", "parameters_shown",
    ]  # fmt: skip
    empty_hint = _("Redemptions at tills arrive here by themselves.")

    def in_scope(self, request: HttpRequest) -> Q:
        """By the coupon's merchant; what fits no coupon, by the shop or merchant that dfire named."""
        own = visible_merchants(request.user)
        ids = [
            *own.exclude(entity_id="").values_list("entity_id", flat=True),
            *own.values_list("shops__entity_id", flat=True),
        ]
        return Q(coupon__merchant__in=own) | Q(coupon=None, entity_id__in=[one for one in ids if one])

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The callback, which remembers who looks at it."""
        callback = super().get_object(request, object_id, from_field)
        if callback is not None:
            callback.viewer = request
        return callback
