"""The rows of files that coupons are issued by: a list that batches' pages link to."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from coupons.batches import problem_words
from coupons.models import BatchRow
from merchants.admin.badges import mono, page_of
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.export_columns import Column
from merchants.admin.masking import shown_digits


class RowProblemFilter(admin.SimpleListFilter):
    """Rows of one reason; reached by links of the batch's page."""

    title = _("reason")
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The reasons of the batch that is looked at."""
        batch = request.GET.get("batch__id__exact", "")
        if not (batch.isascii() and batch.isdecimal() and len(batch) < 19):
            return [("any", gettext("without a coupon"))]
        found = model_admin.get_queryset(request).filter(batch=int(batch)).exclude(problem="").order_by("problem")
        codes = found.values_list("problem", flat=True).distinct()
        return [("any", gettext("without a coupon")), *((code, problem_words(code)) for code in codes)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BatchRow]) -> QuerySet[BatchRow]:
        """Narrowed to the reason."""
        if self.value() == "any":
            return queryset.exclude(problem="")
        return queryset.filter(problem=self.value()) if self.value() else queryset


@admin.register(BatchRow)
class BatchRowAdmin(ReadOnly, BigTable, ScopedAdmin):
    """The rows of files, with what became of them; reached from a batch's page."""

    merchant_path = "batch__merchant"
    list_display = ["number", "text_shown", "customer_shown", "problem_shown", "batch_shown"]
    list_display_links = ["number"]
    list_select_related = ["batch", "customer"]
    list_filter = [RowProblemFilter]
    fields = ["batch_shown", "number", "text_shown", "customer_shown", "problem_shown"]
    readonly_fields = fields
    ordering = ["-batch", "number"]
    export_columns = [
        Column(_("row"), lambda request, row: row.number),
        Column(_("customer as typed"), lambda request, row: shown_digits(request, row.text)),
        Column(_("customer"), lambda request, row: str(row.customer) if row.customer else None),
        Column(_("reason"), lambda request, row: problem_words(row.problem) if row.problem else None),
        Column(_("batch"), lambda request, row: str(row.batch)),
    ]
    empty_hint = _("Rows are kept when coupons are issued to the customers of a file.")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Batches' pages link to their rows."""
        return lookup == "batch__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Tell each row of the page who looks."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        for row in page.result_list:
            row.viewer = request
        return page

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row, which remembers who looks at it."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.viewer = request
        return row

    @display(description=_("customer as typed"))
    def text_shown(self, row: Any) -> str:
        """What staff typed, as far as the user may see."""
        return mono(shown_digits(row.viewer, row.text))

    @display(description=_("customer"))
    def customer_shown(self, row: BatchRow) -> str:
        """A link to the customer who was found or made."""
        return page_of(row.customer)

    @display(description=_("reason"))
    def problem_shown(self, row: BatchRow) -> str:
        """Why there is no coupon."""
        return problem_words(row.problem) if row.problem else "-"

    @display(description=_("batch"))
    def batch_shown(self, row: BatchRow) -> str:
        """A link to the batch."""
        return page_of(row.batch)
