"""Time as dfire writes it: epoch milliseconds, ``yyyyMMdd`` dates, the clock of Shanghai.

China has had one offset and no summer time since 1991, so a fixed offset is exact and needs no zone data.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_DATE = re.compile(r"[0-9]{8}")


def now_ms() -> int:
    """The present moment in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def local(ms: int) -> datetime:
    """An epoch-millisecond moment on the clock of Shanghai."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(SHANGHAI)


def today() -> date:
    """The present day in Shanghai."""
    return datetime.now(SHANGHAI).date()


def midnight_ms(day: date) -> int:
    """00:00 Shanghai of `day` in epoch milliseconds: the form in which dfire prints both ends of a period."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp()) * 1000


def parse_date(text: str) -> date | None:
    """A strict ``yyyyMMdd`` date; None when it is anything else (the seed's ``201706030`` too)."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
