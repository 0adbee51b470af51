"""Ranges of dates and of hours, in the one text form in which they are typed, stored and provisioned."""

import re
from dataclasses import dataclass
from datetime import date, time

_DATES = re.compile(r"(\d{4}-\d{2}-\d{2})(?:/(\d{4}-\d{2}-\d{2}))?\Z")
_TIMES = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})\Z")


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> "DateRange":
        """Read `2026-12-24/2026-12-26`, or one date for one day.

        Raises:
            ValueError: another form, no such date, or the end before the beginning.
        """
        match = _DATES.match(text) if text.isascii() else None
        if match is None:
            raise ValueError("dates are written 2026-12-24/2026-12-26")
        first = date.fromisoformat(match[1])
        last = date.fromisoformat(match[2] or match[1])
        if last < first:
            raise ValueError("the range ends before it begins")
        return cls(first, last)

    def __str__(self) -> str:
        return f"{self.first.isoformat()}/{self.last.isoformat()}"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Hours of one local day from `first` to `last`; 24:00 is written 23:59, as dfire does (seed 003 §4)."""

    first: time
    last: time

    @classmethod
    def parse(cls, text: str) -> "TimeRange":
        """Read `11:00-14:00`.

        Raises:
            ValueError: another form, no such time, or the end not after the beginning.
        """
        match = _TIMES.match(text) if text.isascii() else None
        if match is None:
            raise ValueError("hours are written 11:00-14:00")
        first = time(int(match[1]), int(match[2]))
        last = time(int(match[3]), int(match[4]))
        if last <= first:
            raise ValueError("the hours end before they begin; split them at midnight")
        return cls(first, last)

    def __str__(self) -> str:
        return f"{self.first:%H:%M}-{self.last:%H:%M}"
