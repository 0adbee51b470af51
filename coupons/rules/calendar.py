"""When a coupon can be used by the clock alone, and the next such moment. Every day and hour is Shanghai's.

Tills compare hours by the minute (seed 003 §4: 24:00 is written 23:59), so the last minute of a range is still in it.
The next moment is found by walking ranges of dates, at most eight days of each: never minute by minute.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from coupons.ranges import DateRange, TimeRange
from coupons.terms import Terms
from merchants.clock import SHANGHAI, day_start, local_day

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_WEEK_AND_A_DAY = 8  # the first day may be half over; the seven after it hold every weekday whole

HORIZON = datetime(2300, 1, 1, tzinfo=SHANGHAI)  # nothing is looked for beyond it


def first_instant(valid_from: datetime) -> datetime:
    """When the coupon begins: the whole second of `valid_from` counts."""
    return valid_from.replace(microsecond=0)


def end_instant(valid_until: datetime) -> datetime:
    """The first instant at which the coupon has expired (`lifecycle.has_expired` says the same)."""
    return min(valid_until, HORIZON) + _SECOND


def within_hours(terms: Terms, moment: datetime) -> bool:
    """Whether the hours allow the moment."""
    start = day_start(local_day(moment))
    return any(start + first <= moment < start + end for first, end in _hours(terms.time_ranges))


def among(ranges: Iterable[DateRange], day: date) -> DateRange | None:
    """The first of these ranges in which the day lies."""
    return next((dates for dates in ranges if dates.first <= day <= dates.last), None)


def next_open(terms: Terms, *, valid_from: datetime, valid_until: datetime, moment: datetime) -> datetime | None:
    """The first instant at or after `moment` at which validity, weekday, hours and dates all allow the use.

    Args:
        valid_from, valid_until: the coupon's first and last second (aware).
        moment: aware.

    Returns:
        The moment itself if it fits, else the exact second or minute at which the next opening begins, in Shanghai
        time; None if there is none before the coupon ends.
    """
    start = max(moment, first_instant(valid_from))
    end = end_instant(valid_until)
    if start >= end:
        return None
    hours = _hours(terms.time_ranges)
    for span in _spans(terms, local_day(start), local_day(end - _SECOND)):
        for day in _days(span):
            if terms.use_weekdays and day.isoweekday() not in terms.use_weekdays:
                continue
            midnight = day_start(day)
            for opens, closes in hours:
                at = max(start, midnight + opens)
                if at < min(end, midnight + closes):
                    return at.astimezone(SHANGHAI)
    return None


def _hours(ranges: list[TimeRange]) -> list[tuple[timedelta, timedelta]]:
    """The hours of a day in their order, as time since midnight, ends excluded; the whole day where none is named."""
    if not ranges:
        return [(timedelta(), _DAY)]
    return sorted((_since_midnight(hours.first), _since_midnight(hours.last) + _MINUTE) for hours in ranges)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute)


def _days(span: DateRange) -> Iterator[date]:
    """The first days of a range; more of them would only repeat the weekdays."""
    for offset in range(min((span.last - span.first).days + 1, _WEEK_AND_A_DAY)):
        yield span.first + timedelta(days=offset)


def _spans(terms: Terms, first: date, last: date) -> Iterator[DateRange]:
    """The stretches of days, in order and apart, on which the dates of use and the excluded dates allow it."""
    excluded = _merged(terms.blackout_ranges)
    for dates in _merged(terms.date_ranges) if terms.use_dates else [DateRange(first, last)]:
        day, until = max(dates.first, first), min(dates.last, last)
        for gap in excluded:
            if gap.last < day or gap.first > until:
                continue
            if gap.first > day:
                yield DateRange(day, gap.first - _DAY)
            if gap.last >= until:
                break
            day = gap.last + _DAY
        else:
            if day <= until:
                yield DateRange(day, until)


def _merged(ranges: Iterable[DateRange]) -> list[DateRange]:
    """The same days as ranges in order that neither overlap nor touch."""
    merged: list[DateRange] = []
    for dates in sorted(ranges, key=lambda one: one.first):
        if merged and (dates.first - merged[-1].last).days <= 1:
            merged[-1] = DateRange(merged[-1].first, max(merged[-1].last, dates.last))
        else:
            merged.append(dates)
    return merged
