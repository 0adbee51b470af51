"""The SQL of the reports: sums over many merchants and days, from the coarsest rows that hold them.

What is merged is read from `RolledFigures`, and from `DayFigures` where a week is cut; what is not merged yet from the
rows themselves. Each sum is one statement, so a merge in the middle of it makes no difference.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection

from coupons.models.figures import SUMMED
from coupons.reports.period import Period

_FRESH = "SELECT {} FROM coupons_dayfigures WHERE NOT merged AND {}"
_DAYS = "merchant_id = ANY(%s) AND day BETWEEN %s AND %s"


def sums_of_days(merchants: list[int], period: Period) -> list[dict[str, Any]]:
    """`day` and all sums, of each day that has any."""
    of: list[Any] = [merchants, period.first, period.last]
    columns = _columns("day", SUMMED)
    source = f"""SELECT {columns} FROM coupons_rolledfigures WHERE template_id IS NULL AND {_DAYS}
        UNION ALL {_FRESH.format(columns, _DAYS)}"""  # nosec B608 # names of ours
    return _asked(f"SELECT {_summed('day', SUMMED)} FROM ({source}) AS part GROUP BY day", [*of, *of])  # nosec B608 # names of ours, values are parameters


def most_redeemed(merchants: list[int], period: Period, limit: int) -> list[int]:
    """The templates with the most redemptions in these days, then those with the most issued."""
    source, given = _of_templates(merchants, period, ("issued", "redeemed"))
    asked = f"""SELECT template_id FROM ({source}) AS part GROUP BY template_id
        HAVING sum(issued) <> 0 OR sum(redeemed) <> 0
        ORDER BY sum(redeemed) DESC, sum(issued) DESC, template_id LIMIT %s"""  # nosec B608 # names of ours, values are parameters
    return [row["template_id"] for row in _asked(asked, [*given, limit])]


def sums_of_templates(merchants: list[int], period: Period, templates: list[int]) -> list[dict[str, Any]]:
    """`template_id` and all sums of these templates in these days."""
    source, given = _of_templates(merchants, period, SUMMED, "template_id = ANY(%s)", [templates])
    asked = f"SELECT {_summed('template_id', SUMMED)} FROM ({source}) AS part GROUP BY template_id"  # nosec B608 # names of ours, values are parameters
    return _asked(asked, given)


def _of_templates(
    merchants: list[int], period: Period, names: Iterable[str], only: str = "true", values: Sequence[Any] = ()
) -> tuple[str, list[Any]]:
    """A query of rows that add up to the templates' sums, and its parameters."""
    columns, of = _columns("template_id", names), f"{_DAYS} AND {only}"
    parts, given = [_FRESH.format(columns, of)], [merchants, period.first, period.last, *values]
    whole, cut = _cut(period)
    if whole is not None:
        parts.append(f"SELECT {columns} FROM coupons_rolledfigures WHERE template_id IS NOT NULL AND {of}")  # nosec B608 # names of ours, values are parameters
        given += [merchants, whole.first, whole.last, *values]
    for days in cut:
        parts.append(f"SELECT {columns} FROM coupons_dayfigures WHERE merged AND {of}")  # nosec B608 # names of ours, values are parameters
        given += [merchants, days.first, days.last, *values]
    return " UNION ALL ".join(parts), given


def _cut(period: Period) -> tuple[Period | None, list[Period]]:
    """The weeks that lie in a period from Monday to Sunday, and the days before and after them."""
    monday = period.first + timedelta(days=-period.first.weekday() % 7)
    sunday = period.last - timedelta(days=period.last.isoweekday() % 7)
    if sunday < monday:
        return None, [period]
    edges = [(period.first, monday - timedelta(days=1)), (sunday + timedelta(days=1), period.last)]
    return Period(monday, sunday), [Period(first, last) for first, last in edges if first <= last]


def _columns(key: str, names: Iterable[str]) -> str:
    return ", ".join([key, *names])


def _summed(key: str, names: Iterable[str]) -> str:
    return ", ".join([key, *(f"sum({name})::bigint AS {name}" for name in names)])


def _asked(statement: str, given: Sequence[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
