"""The rows of a list as Unfold shows them, made in a fraction of its time.

Unfold makes the headings anew for each row, and renders a template for each row's checkbox and one for its frame; that
was more than half of what a page of fifty took. What is the same for all rows is made once here. Lists that Unfold
dresses further (edited or sorted in place, with sections or actions of their rows, as a popup) are left to it.
"""

import datetime
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.admin import helpers
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.urls import NoReverseMatch
from django.utils.functional import cached_property
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from unfold.admin import checkbox
from unfold.templatetags.unfold_list import CHECKBOX_CLASSES, LINK_CLASSES, ROW_CLASSES, result_headers
from unfold.utils import (
    display_for_dropdown,
    display_for_field,
    display_for_header,
    display_for_label,
    display_for_value,
)
from unfold.views import ChangeList

_CHECKBOX = "action_checkbox"
_ANY_KEY = "the-key-of-a-row"
_Frame = tuple[str, str, str]  # before the classes' end, before the content, after it


class QuickRows(ChangeList):
    """A list whose template (`admin/change_list.html`) shows these rows where they can be told so."""

    @cached_property
    def rows_are_plain(self) -> bool:
        """Whether nothing but the columns stands in a row."""
        admin = self.model_admin
        sections = getattr(admin, "list_sections", ())
        dressed = self.is_popup or self.formset or admin.ordering_field or sections or admin.actions_row
        return not dressed and bool(self.result_list)

    @cached_property
    def headings(self) -> list[dict[str, Any]]:
        """The headings, as Unfold makes them."""
        return list(result_headers(self))

    @property
    def sorted_headings(self) -> int:
        """By how many columns it is sorted."""
        return sum(bool(heading["sortable"] and heading["sorted"]) for heading in self.headings)

    def rows(self) -> list[SafeString]:
        """The cells of each row."""
        columns = [
            _cells_of(self, index, name, heading["text"])
            for index, (name, heading) in enumerate(zip(self.list_display, self.headings, strict=True))
        ]
        return [mark_safe("".join([cell(row) for cell in columns])) for row in self.result_list]  # nosec B308 B703 # each cell is escaped by itself


def _cells_of(listed: QuickRows, index: int, name: str, heading: Any) -> Callable[[models.Model], str]:
    """What makes a row's cell of this column."""
    classes = CHECKBOX_CLASSES if name == _CHECKBOX else [f"field-{name}", *ROW_CLASSES]
    linking = [one for one in listed.list_display if one in (listed.list_display_links or ())]
    label = conditional_escape(heading if index or name in linking else gettext("Select record"))
    tag = "th" if linking[:1] == [name] else "td"
    frame = f'<{tag} class="{" ".join(classes)}', f'" data-label="{label}">', f"</{tag}>"
    if name == _CHECKBOX:
        return partial(_checkbox_cell, frame, str(checkbox.render(helpers.ACTION_CHECKBOX_NAME, _ANY_KEY)))
    return partial(_cell, frame, listed.model_admin, name, _Links(listed) if name in linking else None)


def _checkbox_cell(frame: _Frame, box: str, row: models.Model) -> str:
    return "".join([frame[0], frame[1], box.replace(_ANY_KEY, conditional_escape(row.pk)), frame[2]])


def _cell(frame: _Frame, admin: Any, name: str, links: "_Links | None", row: models.Model) -> str:
    shown, unbroken = _shown(admin, name, row)
    text = conditional_escape(shown) if links is None else links.around(row, shown)
    return "".join([frame[0], " nowrap" if unbroken else "", frame[1], text, frame[2]])


def _shown(admin: Any, name: str, row: models.Model) -> tuple[Any, bool]:
    """What the column shows of the row, and whether it is kept in one line: by the rules of Unfold's own."""
    empty = admin.get_empty_value_display()
    try:
        field, attribute, value = lookup_field(name, row, admin)
    except ObjectDoesNotExist:
        return empty, False
    empty = getattr(attribute, "empty_value_display", empty)
    if field is None or field.auto_created:
        unbroken = isinstance(value, datetime.date | datetime.time)
        if label := getattr(attribute, "label", False):
            return display_for_label(value, empty, label), unbroken
        if getattr(attribute, "dropdown", False):
            return display_for_dropdown(row, name, value, empty), unbroken
        if getattr(attribute, "header", False):
            return display_for_header(value, empty), unbroken
        return display_for_value(value, empty, getattr(attribute, "boolean", False)), unbroken
    unbroken = isinstance(field, models.DateField | models.TimeField | models.ForeignKey)
    if isinstance(field.remote_field, models.ManyToOneRel):
        related = getattr(row, field.name)
        return empty if related is None else related, unbroken
    return display_for_field(value, field, empty), unbroken


class _Links:
    """Links from rows to their pages, which lead back to the list as it was left: the same words after each address."""

    def __init__(self, listed: QuickRows) -> None:
        self.listed = listed
        self.back: str | None = None

    def around(self, row: models.Model, shown: Any) -> str:
        """What is shown, as a link if the row has a page."""
        try:
            address = self.listed.url_for_result(row)
        except NoReverseMatch:
            return conditional_escape(shown)
        if self.back is None:
            kept = {"preserved_filters": self.listed.preserved_filters, "opts": self.listed.opts}
            self.back = str(add_preserved_filters(kept, address)).removeprefix(address)
        return format_html('<a href="{}" class="{}" >{}</a>', address + self.back, " ".join(LINK_CLASSES), shown)
