"""Yuan typed by staff, fen for the portal: the one place of the admin where the one becomes the other. No floats."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from coupons.money import FEN_PER_YUAN, yuan

__all__ = ["FEN_PER_YUAN", "YuanField", "yuan"]


class YuanField(forms.DecimalField):
    """A sum that is typed in yuan, with at most two decimals, and cleaned to whole fen."""

    def __init__(self, *, max_digits: int = 9, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "prefix": "¥", "class": "portal-yuan"})
        super().__init__(min_value=Decimal(0), max_digits=max_digits, decimal_places=2, widget=widget, **kwargs)
        self.localize = False

    def prepare_value(self, value: Any) -> Any:
        """Stored fen as yuan; what was typed stays as typed."""
        return yuan(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        """The typed yuan as fen; None for nothing."""
        amount = super().clean(value)
        return None if amount is None else int(amount * FEN_PER_YUAN)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether another sum stands there now."""
        return super().has_changed(None if initial is None else yuan(initial), data)
