"""A run of Shanghai days, and how a long one is cut into weeks or months for a chart."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from merchants.clock import day_start

_MOST_DAYS = 31  # bars that still can be told apart
_MOST_WEEKS = 26


class Step(StrEnum):
    """How much one bar of a chart holds."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse one that ends before it begins.

        Raises:
            ValueError: it does.
        """
        if self.last < self.first:
            raise ValueError("the period ends before it begins")

    @classmethod
    def day(cls, day: date) -> "Period":
        """One day."""
        return cls(day, day)

    @classmethod
    def until(cls, last: date, days: int) -> "Period":
        """So many days, of which this is the last one."""
        return cls(last - timedelta(days=days - 1), last)

    @classmethod
    def month_of(cls, day: date) -> "Period":
        """The whole month in which the day lies."""
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        """Its first instant."""
        return day_start(self.first)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return day_start(self.last + timedelta(days=1))

    @property
    def step(self) -> Step:
        """What a chart of it shows as one bar: a day, from a month on a week from Monday, from half a year a month."""
        if self.days <= _MOST_DAYS:
            return Step.DAY
        return Step.WEEK if self.days <= _MOST_WEEKS * 7 else Step.MONTH

    def buckets(self) -> list["Bucket"]:
        """The bars: they cover the period without gap or overlap; the first and the last may be cut short."""
        return [Bucket(first, min(last, self.last)) for first, last in self._cut()]

    def _cut(self) -> Iterator[tuple[date, date]]:
        first = self.first
        while first <= self.last:
            last = _last_of(first, self.step)
            yield first, last
            first = last + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The days of one bar, both ends included."""

    first: date
    last: date


def _last_of(day: date, step: Step) -> date:
    """The end of the day's week or month."""
    if step is Step.DAY:
        return day
    if step is Step.WEEK:
        return day + timedelta(days=7 - day.isoweekday())
    return Period.month_of(day).last
