"""The inbox: redemptions that dfire told, and what staff can do about those that fit no coupon or came too late."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integrations.admin.filters import OpenFilter, SuggestionFilter
from integrations.admin.inbox_actions import CallbackActions
from integrations.admin.inbox_columns import CallbackColumns
from integrations.models import DfireCallback
from integrations.models.inbox import UNSETTLED_STATES
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter


@admin.register(DfireCallback)
class DfireCallbackAdmin(CallbackActions, CallbackColumns, ReadOnly, BigTable, ScopedAdmin):
    """Callbacks are kept as dfire sent them; staff settle those that do not settle by themselves.

    What belongs to no merchant of the portal's is seen by administrators alone.
    """

    list_display = ["code_shown", "matter_shown", "suggestion_shown", "merchant", "received_at"]
    list_select_related = ["merchant"]
    indexed_by_merchant = (set(),)
    list_filter = [
        OpenFilter,
        SuggestionFilter,
        ("problem", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("merchant", OwnRelatedFilter),
    ]
    search_fields = ["code__exact"]
    search_help_text = _("Coupon code")
    ordering = ["-id"]
    readonly_fields = [
        "suggestion_full", "decision_shown", "code_shown", "state_shown", "problem_shown", "merchant", "coupon_shown",
        "account", "promotion_id", "entity_id", "sent_at", "received_at", "tried_at", "settled_at", "repeats",
        "parameters_shown",
    ]  # fmt: skip
    empty_hint = _("Redemptions at tills arrive here by themselves.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What to do, as long as there is something to do; then what was decided."""
        first = ["suggestion_full"] if obj is None or obj.state in UNSETTLED_STATES else []
        first += ["decision_shown"] if obj is not None and obj.decision else []
        return [
            *first, ("code_shown", "state_shown"), ("problem_shown", "coupon_shown"), ("merchant", "account"),
            ("promotion_id", "entity_id"), ("sent_at", "received_at"), ("tried_at", "settled_at"), "repeats",
            "parameters_shown",
        ]  # fmt: skip

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The callback, which remembers who looks at it."""
        callback = super().get_object(request, object_id, from_field)
        if callback is not None:
            callback.viewer = request
        return callback
