"""Numbers as the first page writes them, the same in both languages: 12,345, ¥1,234.50, 37 %."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse

MOST_COUNTED = 9_999


def whole(number: int) -> str:
    """With commas."""
    return f"{number:,}"


def money(fen: int) -> str:
    """In yuan, with both decimals where there are fen; from a million yuan on fen are left out."""
    yuan, rest = divmod(fen, 100)
    return f"¥{yuan:,}.{rest:02}" if rest and yuan < 1_000_000 else f"¥{yuan:,}"


def percent(part: float | None) -> str:
    """A part of one; a small one keeps a decimal."""
    if part is None:
        return "–"
    return f"{part * 100:.1f}%" if 0 < part < 0.1 else f"{part * 100:.0f}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A number with its words and the list of what it counts. `worry`: it should be nought."""

    title: Any
    count: int
    link: str
    worry: bool = False

    @property
    def text(self) -> str:
        """The number; whoever has more than can be counted at once sees that it is more."""
        return f"{whole(MOST_COUNTED)}+" if self.count > MOST_COUNTED else whole(self.count)

    @property
    def worries(self) -> bool:
        """Whether staff should look."""
        return self.worry and self.count > 0


def counted(rows: QuerySet[Any]) -> int:
    """How many, at most one more than is shown."""
    return rows.order_by()[: MOST_COUNTED + 1].count()


def list_of(model: type[Model], query: Mapping[str, str]) -> str:
    """The address of a model's list with these filters."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address
