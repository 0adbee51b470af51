"""How much of a template's stock and money is used: figures that are added up, never coupons that are counted."""

from dataclasses import dataclass

from django.db.models import Sum

from coupons import counting
from coupons.models import CouponTemplate, DayFigures
from coupons.money import yuan


@dataclass(frozen=True, slots=True)
class Usage:
    """Pieces and fen. `out` is how many coupons customers hold that are neither used, revoked nor expired."""

    issued: int
    stock: int | None
    out: int
    used: int
    promised_fen: int
    spent_fen: int
    budget_fen: int | None
    room: int | None  # how many coupons the budget still pays for

    @property
    def full(self) -> bool:
        """Whether the budget has no room for one more."""
        return self.room is not None and self.room < 1

    @property
    def promised(self) -> str:
        """In yuan."""
        return yuan(self.promised_fen)

    @property
    def spent(self) -> str:
        """In yuan."""
        return yuan(self.spent_fen)

    @property
    def budget(self) -> str:
        """In yuan."""
        return yuan(self.budget_fen or 0)

    @property
    def stock_percent(self) -> int | None:
        """How much of the stock is issued, 0-100; None without a limit."""
        return None if self.stock is None else _percent(self.issued, self.stock)

    @property
    def promised_percent(self) -> int | None:
        """How much of the budget is promised, 0-100; None without one."""
        return None if self.budget_fen is None else _percent(self.promised_fen, self.budget_fen)

    @property
    def spent_percent(self) -> int | None:
        """How much of the budget has been spent, 0-100; None without one."""
        return None if self.budget_fen is None else _percent(self.spent_fen, self.budget_fen)


def usage_of(template: CouponTemplate) -> Usage:
    """The template's counters and the sums of its figures, in one query."""
    sums = DayFigures.objects.filter(template=template).aggregate(
        **{name: Sum(name, default=0) for name in ("issued", "used", "revoked", "expired", "spent_fen")}
    )
    return Usage(
        issued=template.issued_count,
        stock=template.stock,
        out=max(0, sums["issued"] - sums["used"] - sums["revoked"] - sums["expired"]),
        used=sums["used"],
        promised_fen=template.committed_fen,
        spent_fen=sums["spent_fen"],
        budget_fen=template.budget_fen,
        room=counting.room_in_budget(template),
    )


def _percent(part: int, whole: int) -> int:
    return min(100, part * 100 // whole) if whole else 100
