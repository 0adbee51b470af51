"""What customer files are made of, as far as it is kept: rows, which files' pages link to, and parts as they came."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from merchants.admin.badges import mono, page_of
from merchants.admin.base import AdministratorsOnly, BigTable, ReadOnly, ScopedAdmin
from merchants.admin.export_columns import Column
from merchants.admin.masking import shown_digits
from merchants.choices import why_words
from merchants.models import CustomerFilePart, CustomerFileRow


@admin.register(CustomerFileRow)
class CustomerFileRowAdmin(ReadOnly, BigTable, ScopedAdmin):
    """The rows of files that are not entered yet, or never will be; reached from a file's page."""

    merchant_path = "file__merchant"
    list_display = ["number", "identifier_shown", "mobile_shown", "openid_shown", "verdict", "why_shown", "file_shown"]
    list_display_links = ["number"]
    list_select_related = ["file"]
    list_filter = [("verdict", ChoicesDropdownFilter), ("why", ChoicesDropdownFilter)]
    fields = ["file_shown", "number", "identifier_shown", "mobile_shown", "openid_shown", "verdict", "why_shown"]
    readonly_fields = fields
    ordering = ["-file", "number"]
    export_columns = [
        Column(_("row"), lambda request, row: row.number),
        Column(_("identifier"), lambda request, row: shown_digits(request, row.identifier)),
        Column(_("mobile"), lambda request, row: shown_digits(request, row.mobile)),
        Column(_("openid"), lambda request, row: shown_digits(request, row.openid)),
        Column(_("what it comes to"), lambda request, row: row.get_verdict_display()),
        Column(_("reason"), lambda request, row: why_words(row.why, row.other) or None),
        Column(_("file"), lambda request, row: str(row.file)),
    ]
    empty_hint = _("Rows are kept until they are entered; those that are not done for a while longer.")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Files' pages link to their rows."""
        return lookup == "file__id__exact" or super().lookup_allowed(lookup, value, request)

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

    @display(description=_("identifier"))
    def identifier_shown(self, row: Any) -> str:
        """What was typed, as far as the user may see."""
        return mono(shown_digits(row.viewer, row.identifier)) if row.identifier else "-"

    @display(description=_("mobile"))
    def mobile_shown(self, row: Any) -> str:
        """What was typed, as far as the user may see."""
        return mono(shown_digits(row.viewer, row.mobile)) if row.mobile else "-"

    @display(description=_("openid"))
    def openid_shown(self, row: Any) -> str:
        """What was typed, as far as the user may see."""
        return mono(shown_digits(row.viewer, row.openid)) if row.openid else "-"

    @display(description=_("reason"))
    def why_shown(self, row: CustomerFileRow) -> str:
        """Why it is not done."""
        return why_words(row.why, row.other) or "-"

    @display(description=_("file"))
    def file_shown(self, row: CustomerFileRow) -> str:
        """A link to the file."""
        return page_of(row.file)


@admin.register(CustomerFilePart)
class CustomerFilePartAdmin(ReadOnly, AdministratorsOnly, BigTable, ScopedAdmin):
    """Files that have not been checked yet, sealed: that they are there, and since when."""

    merchant_path = "file__merchant"
    list_display = ["file", "number", "created_at"]
    list_select_related = ["file"]
    fields = ["file", "number", "created_at"]
    readonly_fields = fields
    ordering = ["-id"]
    empty_hint = _("A file is kept as it came until it has been checked.")
