"""A coupon's facts in short words for the rules' sentences, in the active language and in Shanghai time."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.utils.translation import gettext

from coupons.choices import Weekday
from coupons.ranges import DateRange, TimeRange
from merchants.clock import SHANGHAI

_MOST_NAMED = 6
_LAST_MINUTE = "23:59"


def moment_words(instant: datetime) -> str:
    """An instant to the minute; to the second where that matters."""
    local = instant.astimezone(SHANGHAI)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def listed(words: Iterable[str]) -> str:
    """A list in a sentence; of a long one the beginning, and how many more."""
    entries = list(words)
    shown = gettext(", ").join(entries[:_MOST_NAMED])
    more = len(entries) - _MOST_NAMED
    return gettext("%(some)s and %(count)s more") % {"some": shown, "count": more} if more > 0 else shown


def weekdays_words(days: Sequence[int]) -> str:
    """Weekdays, three and more in a row as a range: Monday–Friday, Sunday."""
    runs: list[list[int]] = []
    for day in sorted(set(days)):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    words: list[str] = []
    for run in runs:
        names = [str(Weekday(day).label) for day in run]
        if len(run) > 2:
            words.append(gettext("%(first)s–%(last)s") % {"first": names[0], "last": names[-1]})
        else:
            words += names
    return listed(words)


def hours_words(ranges: Iterable[TimeRange]) -> str:
    """Ranges of hours in their order; the end of the day is 24:00 to people."""
    return listed(_hours(hours) for hours in sorted(ranges, key=lambda one: one.first))


def _hours(hours: TimeRange) -> str:
    last = f"{hours.last:%H:%M}"
    return f"{hours.first:%H:%M}–{'24:00' if last == _LAST_MINUTE else last}"


def dates_words(ranges: Iterable[DateRange], *, after: date) -> str:
    """Ranges of dates in their order: those that are not over on a day, or all where none is left."""
    ordered = sorted(ranges, key=lambda one: one.first)
    return listed(range_words(dates) for dates in [one for one in ordered if one.last >= after] or ordered)


def range_words(dates: DateRange) -> str:
    """One range of dates; a single day is itself."""
    if dates.first == dates.last:
        return dates.first.isoformat()
    return gettext("%(first)s to %(last)s") % {"first": dates.first.isoformat(), "last": dates.last.isoformat()}
