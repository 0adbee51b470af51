"""What an export says of each row: columns that a list names itself, or those that it shows, as plain values.

Pages show HTML; a file gets what it says, without badges and links, and "-" for nothing becomes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.utils.safestring import SafeData
from django.utils.text import capfirst

from merchants.tables import Value

_CHECKBOX = "action_checkbox"
_BREAKS = {"br", "p", "div", "li", "dt", "dd", "tr", "small"}
_VALUES = (str, int, Decimal, datetime, date, bool)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading (translated when it is used), and what stands below it for a row, as far as the user may see."""

    heading: Any
    value: Callable[[HttpRequest, Any], Value]

    def title(self) -> str:
        """The heading in the active language."""
        return str(capfirst(str(self.heading)))


def columns_of_list(model_admin: Any, request: HttpRequest) -> list[Column]:
    """The columns that a list shows to this user."""
    return [_shown(model_admin, name) for name in model_admin.get_list_display(request) if name != _CHECKBOX]


def _shown(model_admin: Any, name: Any) -> Column:
    def value(request: HttpRequest, row: Any) -> Value:
        try:
            field, attribute, found = lookup_field(name, row, model_admin)
        except ObjectDoesNotExist:
            return None
        if field is not None:
            return _of_field(field, row, found)
        return bool(found) if getattr(attribute, "boolean", False) and found is not None else plain(found)

    return Column(plain(label_for_field(name, model_admin.model, model_admin)) or name, value)


def _of_field(field: Any, row: Any, value: Any) -> Value:
    if field.is_relation:
        return plain(getattr(row, field.name))
    if getattr(field, "flatchoices", None):
        return str(dict(field.flatchoices).get(value, "" if value is None else value))
    return plain(value)


def plain(value: Any) -> Value:
    """A value as a file can say it: markup becomes its text, several things stand one behind the other."""
    if value is None or value == "-":
        return None
    if isinstance(value, SafeData):
        return text_of(str(value))
    if isinstance(value, list | tuple):
        return " · ".join(str(said) for said in map(plain, value) if said is not None)
    return value if isinstance(value, _VALUES) else str(value)


def text_of(html: str) -> str | None:
    """The text of HTML in one line; blocks are parted by a dot."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    parts = [" ".join(part.split()) for part in "".join(reader.said).split("\n")]
    text = " · ".join(part for part in parts if part)
    return None if text == "-" else text


class _Reader(HTMLParser):
    """Collects the text; a line break stands where a block begins or ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(" ".join(data.split("\n")))

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self.said.append("\n")
