"""Which merchants and which days the first page is about: read from its address, and the addresses of other choices."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import DateField
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coupons.reports import Period
from merchants.clock import local_day
from merchants.scopes import visible_merchants

USUAL = "7d"
OWN = "own"
MOST_DAYS = 1096  # three years
FIRST_YEAR = 2000  # no coupon is older, and the days before a period are looked at too
NAMES = {
    "today": _("Today"),
    "yesterday": _("Yesterday"),
    "7d": _("7 days"),
    "30d": _("30 days"),
    "this_month": _("This month"),
    "last_month": _("Last month"),
}


def named_period(name: str, today: date) -> Period:
    """The days of a name, none of them after today.

    Raises:
        KeyError: no period has this name.
    """
    return {
        "today": Period.day(today),
        "yesterday": Period.day(today - timedelta(days=1)),
        "7d": Period.until(today, 7),
        "30d": Period.until(today, 30),
        "this_month": Period(today.replace(day=1), today),
        "last_month": Period.month_of(today.replace(day=1) - timedelta(days=1)),
    }[name]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is chosen. `problem`: why typed days could not be used; `typed` keeps them."""

    today: date
    name: str
    period: Period
    merchants: dict[int, str]
    merchant: int | None
    typed: dict[str, str]
    problem: Any = ""

    @property
    def keys(self) -> list[int]:
        """The merchants whose figures are shown, by primary key."""
        return list(self.merchants) if self.merchant is None else [self.merchant]

    @property
    def query(self) -> dict[str, str]:
        """The choice as it stands in the address, without the merchant."""
        days = self.typed if self.name == OWN else {}
        return {"period": self.name, **days}

    @cached_property
    def periods(self) -> list[dict[str, Any]]:
        """The periods that have a name, for Unfold's navigation."""
        return [
            {"title": words, "link": self._address({"period": name}), "active": name == self.name}
            for name, words in NAMES.items()
        ]

    def of_merchant(self) -> dict[str, str]:
        """The part of a list's query that keeps to the chosen merchant."""
        return {} if self.merchant is None else {"merchant__id__exact": str(self.merchant)}

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Of rows that the user may see those of the chosen merchant."""
        return rows if self.merchant is None else rows.filter(merchant=self.merchant)

    def _address(self, query: dict[str, str]) -> str:
        merchant = {} if self.merchant is None else {"merchant": str(self.merchant)}
        return f"?{urlencode({**query, **merchant})}"


def choice_of(request: HttpRequest) -> Choice:
    """What the address chooses. Days that cannot be used are said to be so, and the usual ones shown.

    Raises:
        Http404: a merchant that is not the user's.
    """
    today = local_day(timezone.now())
    own: dict[int, str] = dict(visible_merchants(request.user).order_by("name", "pk").values_list("pk", "name"))
    name = request.GET.get("period", USUAL)
    period, problem = _period(request, name, today)
    typed = {side: request.GET.get(side, "") for side in ("from", "to")}
    shown = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    return Choice(
        today=today,
        name=name if name in (*NAMES, OWN) else USUAL,
        period=period,
        merchants=own,
        merchant=_merchant(request, own),
        typed=typed if problem else shown,
        problem=problem,
    )


def _merchant(request: HttpRequest, own: dict[int, str]) -> int | None:
    chosen = request.GET.get("merchant", "")
    if not chosen:
        return None
    found = next((pk for pk in own if str(pk) == chosen), None)
    if found is None:
        raise Http404
    return found


def _period(request: HttpRequest, name: str, today: date) -> tuple[Period, Any]:
    if name != OWN:
        return named_period(name if name in NAMES else USUAL, today), ""
    usual = named_period(USUAL, today)
    try:
        first, last = (DateField().clean(request.GET.get(side)) for side in ("from", "to"))
        period = Period(first, last)
    except ValidationError:
        return usual, _("Enter the first and the last day.")
    except ValueError:
        return usual, _("The last day lies before the first one.")
    if period.last > today:
        return usual, _("Choose days up to today.")
    if period.days > MOST_DAYS:
        return usual, _("Choose at most three years.")
    if period.first.year < FIRST_YEAR:
        return usual, _("Choose days from the year 2000 on.")
    return period, ""
