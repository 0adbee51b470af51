"""Takes away what a list shows: with its filters, search, order and scope, all pages of it, as XLSX or CSV.

The keys of the rows are read first, by a cursor of the server's that holds no transaction open: so the order is the
list's and nobody is missed or told twice. The rows are then read by their keys, a thousand at a time. A million rows
take no more memory than a thousand, and a client that reads slowly holds up nobody in the database.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from merchants.admin.export_columns import Column, columns_of_list
from merchants.admin.export_notes import ExportNote, filters_in_words
from merchants.admin.export_slots import written_in_turn
from merchants.rights import EXPORT, has_right
from merchants.tables import MOST_XLSX_ROWS, Row, csv_chunks, too_many_words, xlsx_chunks

XLSX, CSV = "xlsx", "csv"
TYPES = {
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    CSV: "text/csv; charset=utf-8",
}
MENU = {"title": _("Export"), "icon": "download", "items": ["export_xlsx", "export_csv"]}

_PAGE = 1000
_OF_THE_PAGE = (PAGE_VAR, ALL_VAR, ERROR_FLAG)


class Exporting:
    """The menu above a list, for those who may take lists away; a file holds no more than they may see."""

    export_columns: ClassVar[Sequence[Column]] = ()  # none = those of the list
    export_related: ClassVar[Sequence[str]] = ()  # what these columns need besides the list's `list_select_related`
    model: Any

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)  # type: ignore[call-arg]
        own: Any = getattr(self, "actions_list", ())
        self.actions_list = (*own, MENU)

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Ask once for all rows of a page what their columns would ask for each."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; its menu leads to files of what it shows now."""
        response: Any = super().changelist_view(request, extra_context)  # type: ignore[misc]
        query = _of_list(request.GET).urlencode()
        for entry in (getattr(response, "context_data", None) or {}).get("actions_list", []) if query else []:
            for item in entry.get("items", ()):
                if item["path"] in (self._export_address("export_xlsx"), self._export_address("export_csv")):
                    item["path"] += f"?{query}"
        return response

    @action(description=_("Excel (XLSX)"), url_path="export-xlsx", permissions=["export"], icon="table_view")
    def export_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        """The list as XLSX."""
        return self._export(request, XLSX)

    @action(description=_("CSV, of any length"), url_path="export-csv", permissions=["export"], icon="csv")
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """The list as CSV."""
        return self._export(request, CSV)

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may see the list, and take lists away."""
        return has_right(request.user, EXPORT) and bool(self.has_view_permission(request))  # type: ignore[attr-defined]

    def _export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        asked = _of_list(request.GET)
        request.GET = asked  # type: ignore[assignment]
        back = f"{self._export_address('changelist')}?{asked.urlencode()}"
        return written_in_turn(request, back, lambda: self._written(request, asked, back, form))

    def _written(self, request: HttpRequest, asked: QueryDict, back: str, form: str) -> HttpResponseBase:
        try:
            rows = self.get_changelist_instance(request).queryset  # type: ignore[attr-defined]
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{self._export_address('changelist')}?{ERROR_FLAG}=1")
        if form == XLSX and rows.order_by()[: MOST_XLSX_ROWS + 1].count() > MOST_XLSX_ROWS:
            messages.error(request, too_many_words())
            return HttpResponseRedirect(back)
        columns = list(self.export_columns or columns_of_list(self, request))
        title = str(capfirst(self.model._meta.verbose_name_plural))
        name = self.model._meta.verbose_name_plural
        note = ExportNote(request, self.model, name, form, filters_in_words(asked, SEARCH_VAR))
        cells = ([column.value(request, row) for column in columns] for row in self._export_rows(request, rows))
        return file_of(title, [column.title() for column in columns], cells, form=form, note=note)

    def _export_rows(self, request: HttpRequest, rows: QuerySet[Any]) -> Iterator[Any]:
        keys = iter(rows.values_list("pk", flat=True).iterator(chunk_size=2 * _PAGE))
        found = _sharing(rows.order_by(), self.export_related)
        while page := list(islice(keys, _PAGE)):
            by_key = {row.pk: row for row in found.filter(pk__in=page)}
            there = [by_key[key] for key in page if key in by_key]
            self.prepare_rows(request, there)
            yield from there

    def _export_address(self, name: str) -> str:
        meta = self.model._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}")


def file_of(
    title: str, headings: Sequence[str], rows: Iterable[Row], *, form: str, note: ExportNote
) -> StreamingHttpResponse:
    """A table that is written while it is sent, to be saved under its title and the time (Shanghai).

    Args:
        form: `XLSX` or `CSV`.
    """
    counted = note.counted(rows)
    pieces = csv_chunks(headings, counted) if form == CSV else xlsx_chunks(title, headings, counted)
    response = StreamingHttpResponse(
        _in_language(note.kept(pieces), translation.get_language()), content_type=TYPES[form]
    )
    name = f"{title} {timezone.localtime():%Y-%m-%d %H%M}.{form}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def _sharing(rows: QuerySet[Any], also: Sequence[str]) -> QuerySet[Any]:
    """The rows with what the list joins to each of them, read once for a page: a thousand coupons have one merchant."""
    joined = rows.query.select_related
    if joined is True:
        return rows.prefetch_related(*also)
    paths = _paths(joined) if joined else []
    return rows.select_related(None).prefetch_related(*paths, *also)


def _paths(joined: dict[str, Any], before: str = "") -> list[str]:
    """Django's tree of joins as ways: {"run": {"merchant": {}}} is run, run__merchant."""
    found = []
    for name, below in joined.items():
        found += [before + name, *_paths(below, f"{before}{name}__")]
    return found


def _in_language(pieces: Iterator[bytes], language: str | None) -> Iterator[bytes]:
    """The pieces, made in the language of the request, which is over by then."""
    with translation.override(language):
        yield from pieces


def _of_list(query: QueryDict) -> QueryDict:
    """What of an address says which rows a list shows, without which page of them."""
    kept = query.copy()
    for name in _OF_THE_PAGE:
        kept.pop(name, None)
    return kept
