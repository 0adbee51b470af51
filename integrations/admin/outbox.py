"""The outbox: what dfire is still to be told, what failed and what to do about it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integrations.admin.filters import ResultFilter
from integrations.admin.outbox_actions import RowActions
from integrations.admin.outbox_columns import RowColumns
from integrations.admin.outbox_errors import ErrorFilter, ErrorPanel
from integrations.admin.outbox_export import ROW
from integrations.admin.records import AttemptInline
from integrations.models import OutboxRow
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter


@admin.register(OutboxRow)
class OutboxRowAdmin(ErrorPanel, RowActions, RowColumns, ReadOnly, BigTable, ScopedAdmin):
    """Rows are the portal's; staff retry or give up the failed ones."""

    list_display = [
        "kind_shown",
        "subject_shown",
        "merchant",
        "state_shown",
        "trouble_shown",
        "tries",
        "created_at",
    ]
    list_display_links = ["kind_shown"]
    export_columns = ROW
    export_related = ["account"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("merchant", OwnRelatedFilter),
        ResultFilter,
        ErrorFilter,
    ]
    search_fields = ["coupon__code__exact", "version__promotion_id__exact"]
    search_help_text = _("Coupon code or promotion ID")
    ordering = ["-id"]
    inlines = [AttemptInline]
    fields = [
        "trouble_full", ("kind", "state_shown"), ("subject_shown", "merchant"), ("account", "phase"),
        ("tries", "lost_leases"), ("created_at", "available_at"), ("settled_at", "result_shown"),
    ]  # fmt: skip
    readonly_fields = [
        "trouble_full", "kind", "state_shown", "subject_shown", "merchant", "account", "phase", "tries", "lost_leases",
        "created_at", "available_at", "settled_at", "result_shown",
    ]  # fmt: skip
    empty_hint = _("Nothing has been told to dfire yet. Rows appear when a template is published or a coupon issued.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxRow]:
        """With what rows are about. The join matters: a template that has been deleted reads as none."""
        return super().get_queryset(request).select_related("merchant", "coupon", "template")
