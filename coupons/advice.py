"""What somebody who knows coupons would say of a template before it is saved: likely slips, and what it may cost.

Nothing here forbids anything (that is `coupons.validation`), and nothing asks the database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Literal

from django.utils.translation import gettext, ngettext

from coupons.choices import Kind
from coupons.counting import COST_SAID_BY_KIND
from coupons.money import yuan
from coupons.ranges import DateRange
from coupons.sentences import day_in_words, tenths
from coupons.terms import Terms

_MOST_DAYS = 2000  # looked at; of a longer time nothing is said about its days
_LOWEST_LIKELY_PERCENT = 10  # below it, 9 was meant as 9折


@dataclass(frozen=True, slots=True)
class Advice:
    """One remark: a warning, or what is good to know."""

    level: Literal["warning", "info"]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many there are and what they may cost: pieces and fen, None where there is no limit."""

    stock: int | None = None
    per_person: int | None = None
    per_person_daily: int | None = None
    budget_fen: int | None = None
    cost_each_fen: int | None = None


def advice_on(terms: Terms, limits: Limits, *, today: date) -> list[Advice]:
    """The remarks on terms that are valid, warnings first. `today` is the Shanghai date."""
    warnings = [*_worth(terms), *_dates(terms, today), *_days(terms, today), *_hours(terms), *_limits(terms, limits)]
    return [
        *(Advice("warning", words) for words in warnings),
        *(Advice("info", words) for words in [*_cost(terms, limits), *_everywhere(terms)]),
    ]


def cost_of_one(terms: Terms, limits: Limits) -> int | None:
    """What one coupon costs at most, in fen; None where neither kind nor staff say so."""
    return terms.amount_fen if terms.kind in COST_SAID_BY_KIND else limits.cost_each_fen


def last_day_of_use(terms: Terms) -> date:
    """The last day on which a coupon that is received on the end date may be used."""
    return terms.end_date + timedelta(days=(terms.valid_days or 1) - 1)


def _worth(terms: Terms) -> Iterator[str]:
    amount, least = terms.amount_fen, terms.min_spend_fen
    if terms.kind in COST_SAID_BY_KIND and amount is not None and 0 < least <= amount:
        words = gettext("It takes off ¥{yuan} from a bill of ¥{least} on: the whole bill and more.")
        yield words.format(yuan=yuan(amount), least=yuan(least))
    if terms.kind == Kind.CASH and amount is not None and not least:
        yield gettext("There is no least spend: a bill of up to ¥{yuan} costs nothing.").format(yuan=yuan(amount))
    percent = terms.percent_paid
    if percent is not None and percent < _LOWEST_LIKELY_PERCENT:
        words = gettext("The customer pays only {percent} percent. Was {meant} meant?")
        yield words.format(percent=percent, meant=percent * 10, zhe=tenths(percent * 10))


def _dates(terms: Terms, today: date) -> Iterator[str]:
    if terms.end_date < today:
        yield gettext("Its end date {day} has passed: none can be issued.").format(day=day_in_words(terms.end_date))
        return
    remaining = (terms.end_date - max(today, terms.start_date)).days + 1
    if terms.valid_days is not None and terms.valid_days > remaining:
        words = ngettext(
            "It is issued for {count} day more, and valid for longer: the last ones until {day}.",
            "It is issued for {count} days more, and valid for longer: the last ones until {day}.",
            remaining,
        )
        yield words.format(count=remaining, day=day_in_words(last_day_of_use(terms)))


def _days(terms: Terms, today: date) -> Iterator[str]:
    first, last = max(today, terms.start_date), last_day_of_use(terms)
    if last < first:
        return
    ranges = terms.date_ranges or [DateRange(first, last)]
    days = list(islice(_each_day(ranges, first, last), _MOST_DAYS + 1))
    if len(days) > _MOST_DAYS:
        return
    if not days:
        yield gettext("None of the dates of use lies within its validity: it can never be used.")
        return
    on_weekdays = [day for day in days if not terms.use_weekdays or day.isoweekday() in terms.use_weekdays]
    if not on_weekdays:
        yield gettext("No date of use falls on one of the weekdays: it can never be used.")
    elif all(any(dates.first <= day <= dates.last for dates in terms.blackout_ranges) for day in on_weekdays):
        yield gettext("Every day on which it could be used is excluded.")


def _each_day(ranges: list[DateRange], first: date, last: date) -> Iterator[date]:
    for dates in ranges:
        day = max(dates.first, first)
        while day <= min(dates.last, last):
            yield day
            day += timedelta(days=1)


def _hours(terms: Terms) -> Iterator[str]:
    hours = sorted(terms.time_ranges, key=lambda one: one.first)
    if any(later.first < earlier.last for earlier, later in pairwise(hours)):
        yield gettext("Some of the hours overlap.")


def _limits(terms: Terms, limits: Limits) -> Iterator[str]:
    each = cost_of_one(terms, limits)
    if limits.budget_fen is not None and each and limits.budget_fen < each:
        words = gettext("The budget of ¥{budget} does not pay for one coupon of ¥{each}: none can be issued.")
        yield words.format(budget=yuan(limits.budget_fen), each=yuan(each))
    if limits.stock == 0:
        yield gettext("The stock is 0: none can be issued.")
    daily, person = limits.per_person_daily, limits.per_person
    if daily is not None and person is not None and daily > person:
        yield gettext("One person may get more in a day ({daily}) than in all ({person}).").format(
            daily=daily, person=person
        )


def _cost(terms: Terms, limits: Limits) -> Iterator[str]:
    each = cost_of_one(terms, limits)
    if limits.stock is None and limits.budget_fen is None:
        yield gettext("Neither stock nor budget: as many are issued as are asked for.")
    if not each:
        return
    paid_for = None if limits.budget_fen is None else limits.budget_fen // each
    if limits.stock and (paid_for is None or limits.stock <= paid_for):
        words = ngettext(
            "If it is used, it costs up to ¥{yuan}.", "If all {count} are used, it costs up to ¥{yuan}.", limits.stock
        )
        yield words.format(count=limits.stock, yuan=yuan(limits.stock * each))
    elif paid_for:
        words = ngettext("The budget pays for {count} coupon.", "The budget pays for {count} coupons.", paid_for)
        yield words.format(count=paid_for)


def _everywhere(terms: Terms) -> Iterator[str]:
    if not terms.shop_entity_ids:
        yield gettext("No shop is chosen: it holds in all shops of the merchant.")
