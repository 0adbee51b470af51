"""Periods are Shanghai days; their bars cover them without gap or overlap."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from coupons.reports import Period, Step

DAY = date(2026, 3, 12)  # a Thursday


def test_a_period_begins_and_ends_at_midnight_in_shanghai() -> None:
    period = Period.until(DAY, 7)
    assert period == Period(date(2026, 3, 6), DAY)
    assert period.days == 7
    assert period.start == datetime(2026, 3, 5, 16, tzinfo=UTC)
    assert period.end == datetime(2026, 3, 12, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2026, 2, 28), date(2026, 2, 28)),
        (date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2026, 12, 31)),
        (date(2026, 1, 31), date(2026, 1, 31)),
    ],
)
def test_a_month_is_whole(day: date, last: date) -> None:
    assert Period.month_of(day) == Period(day.replace(day=1), last)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        Period(DAY, DAY - timedelta(days=1))


@pytest.mark.parametrize(
    ("days", "step", "bars"),
    [(1, Step.DAY, 1), (31, Step.DAY, 31), (32, Step.WEEK, 5), (182, Step.WEEK, 27), (183, Step.MONTH, 7),
     (800, Step.MONTH, 27)],
)  # fmt: skip
def test_long_periods_are_cut_into_weeks_and_months(days: int, step: Step, bars: int) -> None:
    period = Period.until(DAY, days)
    cut = period.buckets()
    assert (period.step, len(cut)) == (step, bars)
    assert (cut[0].first, cut[-1].last) == (period.first, period.last)
    assert all(one.last + timedelta(days=1) == after.first for one, after in pairwise(cut))


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert {bar.first.isoweekday() for bar in Period.until(DAY, 60).buckets()[1:]} == {1}
    assert {bar.first.day for bar in Period.until(DAY, 400).buckets()[1:]} == {1}
