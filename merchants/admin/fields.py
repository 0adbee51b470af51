"""Form fields for staff: secrets that are written and never shown, lists with one entry a line, rows of checkboxes."""

import unicodedata
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
)

KEEP = _("Stored. Leave it empty to keep it.")


class PortalForm(forms.ModelForm):
    """What every form of the portal does: labels begin with a capital, constraints hold whatever the page shows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = capfirst(field.label) if field.label else field.label

    def _post_clean(self) -> None:
        """Hold every constraint. Django passes over those that name a field the page does not let one change."""
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                self.instance.validate_constraints()
            except ValidationError as error:
                self._update_errors(error)  # type: ignore[attr-defined]


class SecretsForm(PortalForm):
    """A form whose `secret_fields` never go to the browser; left empty, they stay as they are."""

    secret_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.secret_fields:
            if name not in self.fields:
                continue
            stored = bool(self.instance.pk and getattr(self.instance, name))
            field = self.fields[name]
            field.required = field.required and not stored
            attributes = {"autocomplete": "new-password", "placeholder": KEEP if stored else ""}
            field.widget = UnfoldAdminPasswordWidget(attributes)
            self.initial[name] = ""

    def clean(self) -> dict[str, Any] | None:
        """Put stored secrets in the place of empty ones."""
        cleaned = super().clean() or self.cleaned_data
        for name in self.secret_fields:
            if not cleaned.get(name) and name not in self.errors:
                cleaned[name] = getattr(self.instance, name)
        return cleaned


class LinesField(forms.CharField):
    """A list of texts, one a line. Full-width digits and signs, as Chinese keyboards type them, become plain ones."""

    def __init__(
        self,
        *,
        placeholder: str = "",
        separators: str = ",",
        parse: Callable[[str], Any] | None = None,
        wrong: Any = "",
        **kwargs: Any,
    ) -> None:
        """`parse` raises ValueError for an entry of another form; `wrong` says so, with `%(entry)s` in it."""
        self.separators, self.parse, self.wrong = separators, parse, wrong
        widget = UnfoldAdminTextareaWidget({"rows": 3, "placeholder": placeholder})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The list as text; what was typed stays as typed."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The text as a list."""
        if isinstance(value, list):
            return value
        text = unicodedata.normalize("NFKC", super().to_python(value) or "")
        for separator in self.separators:
            text = text.replace(separator, "\n")
        return [line.strip() for line in text.splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        """Each entry by itself, all wrong ones named at once."""
        wrong = [entry for entry in value if not self._reads(entry)]
        if wrong:
            raise ValidationError([ValidationError(self.wrong, params={"entry": entry}) for entry in wrong])

    def _reads(self, entry: str) -> bool:
        try:
            if self.parse is not None:
                self.parse(entry)
        except ValueError:
            return False
        return True

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether another list stands there now."""
        return list(initial or []) != self.to_python(data)


class CheckboxRow(UnfoldAdminCheckboxSelectMultipleWidget):
    """Checkboxes side by side."""

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Tell Unfold's template to lay them out in a row."""
        return {**super().get_context(*args, **kwargs), "radio_style": 1}


class ChecksField(forms.MultipleChoiceField):
    """A list of chosen values as checkboxes; none chosen is the empty list."""

    def __init__(self, *, coerce: Any = str, **kwargs: Any) -> None:
        self.coerce = coerce
        kwargs.setdefault("widget", CheckboxRow())
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> Any:
        """The chosen values, in the type that is stored."""
        return [self.coerce(entry) for entry in super().clean(value)]
