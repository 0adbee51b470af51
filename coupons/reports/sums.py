"""Sums over `DayFigures`: what was issued in a period and became of it, and what was redeemed in it.

Two countings stand side by side. `issued`, `delivered`, `used`, `revoked` and `expired` are the coupons **issued** in
the period and what they are by now; `redeemed` and all money are the redemptions that **happened** in it, of whichever
coupons.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db.models import QuerySet

from coupons.models import CouponTemplate
from coupons.models.figures import SUMMED
from coupons.reports.period import Bucket, Period
from coupons.reports.reading import most_redeemed, sums_of_days, sums_of_templates
from merchants.models import Merchant

Merchants = Collection[int] | QuerySet[Merchant]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sums of some days. Money in fen; of `saved_fen` and `paid_fen` only so many redemptions are known."""

    issued: int = 0
    delivered: int = 0
    used: int = 0
    revoked: int = 0
    expired: int = 0
    redeemed: int = 0
    saved_fen: int = 0
    saved_known: int = 0
    paid_fen: int = 0
    paid_known: int = 0
    spent_fen: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        """Both together."""
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in _NAMES})

    @property
    def rate(self) -> float | None:
        """Which part of the coupons issued in the period has been redeemed by now, 0 to 1; None without any."""
        return self.used / self.issued if self.issued else None

    @property
    def nothing(self) -> bool:
        """Whether nothing was issued and nothing redeemed."""
        return not (self.issued or self.redeemed)


_NAMES = tuple(field.name for field in fields(Figures))
assert _NAMES == SUMMED, "the columns of DayFigures"  # nosec B101 # for the type checker


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFigures:
    """A template and its sums."""

    template: CouponTemplate
    figures: Figures


def keys_of(merchants: Merchants) -> list[int]:
    """The merchants' primary keys. As a list, because PostgreSQL then reads just their part of the index of days."""
    return list(merchants.values_list("pk", flat=True) if isinstance(merchants, QuerySet) else merchants)


def by_day(merchants: Merchants, period: Period) -> dict[date, Figures]:
    """The sums of each day that has any."""
    return {row["day"]: _figures(row) for row in sums_of_days(keys_of(merchants), period)}


def totals(merchants: Merchants, period: Period) -> Figures:
    """The sums of the whole period."""
    return added(by_day(merchants, period))


def added(days: Mapping[date, Figures]) -> Figures:
    """The sums of several days."""
    return sum(days.values(), Figures())


def in_buckets(days: Mapping[date, Figures], buckets: Sequence[Bucket]) -> list[Figures]:
    """The sums of each bar of a chart, from those of the days."""
    return [added({day: of for day, of in days.items() if bar.first <= day <= bar.last}) for bar in buckets]


def top_templates(merchants: Merchants, period: Period, *, limit: int) -> list[TemplateFigures]:
    """The templates most redeemed in the period, then those most issued; each with its merchant at hand."""
    keys = keys_of(merchants)
    best = most_redeemed(keys, period, limit)  # all of them by two sums, the few that are shown by all sums
    sums = {row["template_id"]: _figures(row) for row in sums_of_templates(keys, period, best)}
    found = CouponTemplate.objects.select_related("merchant").in_bulk(best)
    return [TemplateFigures(template=found[pk], figures=sums[pk]) for pk in best if pk in found and pk in sums]


def _figures(row: Mapping[str, Any]) -> Figures:
    return Figures(**{name: row[name] for name in SUMMED})
