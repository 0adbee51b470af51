"""Form fields for the lists in a template's terms: nobody types commas.

What the browser posts, for a field NAME, always as repeated values of plain inputs (so that everything works from the
keyboard and for screen readers, and a form that comes back with errors keeps what was typed):

- `RangesField`: `NAME_from` and `NAME_to`, the n-th of each being the n-th row; rows without both are left out. Cleaned
  to the stored texts, `11:00-14:00`, or `2026-10-01/2026-10-07` and `2026-10-01` for one day (an empty `NAME_to`).
- `TagsField`: `NAME` once for each entry; an entry with separators in it is several.
- `ShopsField`: `NAME` once for each chosen shop's entity ID.
- weekdays (`WeekdayToggles`): `NAME` once for each chosen ISO weekday.
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString, mark_safe

from coupons.choices import Weekday
from coupons.ranges import DateRange, TimeRange
from coupons.sentences import WEEKDAYS

_SEPARATORS = ",，、;；\n\t"


class PickerWidget(forms.Widget):
    """A group of inputs. Its `label` (set by the form) is what a screen reader says of the group."""

    label: Any = ""

    class Media:
        js = ("portal/pickers.js",)

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """With the project's templates, which the widgets' own renderer does not know."""
        attrs = context["widget"]["attrs"]
        said = {
            "label": self.label,
            "described_by": attrs.get("aria-describedby", ""),
            "invalid": attrs.get("aria-invalid"),
        }
        return mark_safe(render_to_string(template_name, {**context, **said}))  # nosec B308 B703 # a template's output, escaped there

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """The group has a name of its own; a label for one of its inputs would be wrong."""
        return ""


def _values(data: Any, name: str) -> list[str]:
    if isinstance(data, MultiValueDict):
        return [str(value) for value in data.getlist(name)]
    value = data.get(name, [])
    return [str(entry) for entry in value] if isinstance(value, list | tuple) else [str(value)]


class RangeRows(PickerWidget):
    """Rows of two inputs, from and to, with buttons that add and remove rows."""

    template_name = "admin/coupons/pickers/ranges.html"

    def __init__(self, *, input_type: str, separator: str, attrs: dict[str, Any] | None = None) -> None:
        self.input_type, self.separator = input_type, separator
        super().__init__(attrs)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The stored or typed texts as rows, and an empty one where there is none."""
        context = super().get_context(name, value, attrs)
        rows = [(first.strip(), last.strip()) for first, _sign, last in map(self._split, value or [])]
        return {
            **context,
            "rows": rows or [("", "")],
            "input_type": self.input_type,
            "dates": self.input_type == "date",
        }

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """Each row as one text; those in which nothing is typed are left out."""
        firsts, lasts = _values(data, f"{name}_from"), _values(data, f"{name}_to")
        lasts += [""] * (len(firsts) - len(lasts))
        rows = [(first.strip(), last.strip()) for first, last in zip(firsts, lasts, strict=False)]
        return [self._joined(first, last) for first, last in rows if first or last]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether the form had no such rows."""
        return f"{name}_from" not in data

    def _joined(self, first: str, last: str) -> str:
        return first if self.input_type == "date" and not last else f"{first}{self.separator}{last}"

    def _split(self, text: str) -> tuple[str, str, str]:
        return str(text).partition(self.separator)


class ListField(forms.Field):
    """A field whose value is a list of texts; none is the empty list."""

    empty_values = [None, "", [], (), {}]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> list[Any]:
        """The list, each entry once."""
        return list(dict.fromkeys(value or []))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether another list stands there now."""
        return list(initial or []) != self.to_python(data)


class RangesField(ListField):
    """Ranges of hours or dates; each wrong one is named."""

    def __init__(self, *, parse: Callable[[str], Any], wrong: Any, **kwargs: Any) -> None:
        """`wrong` says of an entry that it is no such range, with `%(entry)s` in it."""
        self.parse, self.wrong = parse, wrong
        super().__init__(**kwargs)

    def validate(self, value: Any) -> None:
        """All wrong entries at once."""
        wrong = [entry for entry in value if not self._reads(entry)]
        if wrong:
            raise ValidationError([ValidationError(self.wrong, params={"entry": entry}) for entry in wrong])

    def _reads(self, entry: str) -> bool:
        try:
            self.parse(entry)
        except ValueError:
            return False
        return True


def hours_field(**kwargs: Any) -> RangesField:
    """Rows of hours."""
    return RangesField(parse=TimeRange.parse, widget=RangeRows(input_type="time", separator="-"), **kwargs)


def dates_field(**kwargs: Any) -> RangesField:
    """Rows of dates."""
    return RangesField(parse=DateRange.parse, widget=RangeRows(input_type="date", separator="/"), **kwargs)


class TagRow(PickerWidget):
    """Entries as tags, and an input for the next one: Enter, a comma or a paste makes tags of it."""

    template_name = "admin/coupons/pickers/tags.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The entries."""
        return {**super().get_context(name, value, attrs), "tags": list(value or []), "separators": _SEPARATORS}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """Every entry, that in the input too."""
        return list(_tags(_values(data, name)))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """The input is always posted."""
        return name not in data


class TagsField(ListField):
    """A list of short texts."""

    widget = TagRow


def _tags(texts: Iterable[str]) -> Iterable[str]:
    """Full-width digits and signs, as Chinese keyboards type them, become plain ones."""
    for text in texts:
        plain = unicodedata.normalize("NFKC", text)
        for separator in _SEPARATORS:
            plain = plain.replace(separator, "\n")
        yield from (entry.strip() for entry in plain.split("\n") if entry.strip())


class ShopPicker(PickerWidget):
    """Shops to choose from as checkboxes in a list one can search in. The form sets `shops` and `address`.

    Another merchant's are fetched from `address` (`?merchant=`) when `merchant_field`, an input of the same form,
    changes.
    """

    template_name = "admin/coupons/pickers/shops.html"
    shops: list[tuple[str, str]] = []
    address = ""
    merchant_chosen = True

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The chosen ones first, so that they are seen without scrolling."""
        chosen = {str(entry) for entry in value or []}
        rows = [{"id": key, "name": shop, "chosen": key in chosen} for key, shop in self.shops]
        rows.sort(key=lambda row: not row["chosen"])
        own = {"shops": rows, "address": self.address, "chosen": len(chosen), "merchant_chosen": self.merchant_chosen}
        return {**super().get_context(name, value, attrs), **own}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """The chosen entity IDs."""
        return [entry for entry in _values(data, name) if entry]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Unticked checkboxes are not posted."""
        return False


class ShopsField(ListField):
    """Entity IDs. Whether they are shops of the merchant is the form's to check: it knows the merchant."""

    widget = ShopPicker


class WeekdayToggles(PickerWidget, forms.CheckboxSelectMultiple):
    """Weekdays as buttons that stay pressed: checkboxes, seen differently."""

    template_name = "admin/coupons/pickers/weekdays.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Short names, the long ones for screen readers."""
        chosen = {str(entry) for entry in value or []}
        days = [
            {
                "value": day.value,
                "short": WEEKDAYS[day.value - 1],
                "name": day.label,
                "chosen": str(day.value) in chosen,
            }
            for day in Weekday
        ]
        return {**super().get_context(name, value, attrs), "days": days}
