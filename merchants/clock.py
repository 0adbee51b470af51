"""Local time: every date on a screen or a wire is a date in Shanghai.

One place turns instants into local days and back, so that no day ends eight hours early.
"""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local_day(instant: datetime) -> date:
    """The Shanghai date of an aware instant."""
    return instant.astimezone(SHANGHAI).date()


def day_start(day: date) -> datetime:
    """The first instant of a Shanghai day."""
    return datetime.combine(day, time.min, SHANGHAI)


def day_end(day: date) -> datetime:
    """The last second (23:59:59) of a Shanghai day: how an end date is stored and shown."""
    return datetime.combine(day, time(23, 59, 59), SHANGHAI)
