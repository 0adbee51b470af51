"""The next moment at which a coupon can be used, against an oracle that tries every minute."""

from datetime import date, datetime, timedelta
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from coupons.rules import HORIZON, Subject
from merchants.clock import SHANGHAI
from tests.coupons.rules import ask, at, subject, terms

MINUTE = timedelta(minutes=1)


def open_at(one: Subject, moment: datetime) -> bool:
    """The oracle: each condition spelt out as people would, sharing nothing with the rules."""
    local = moment.astimezone(SHANGHAI)
    day, clock = local.strftime("%Y-%m-%d"), local.strftime("%H:%M")

    def holds(ranges: tuple[str, ...], value: str, mark: str) -> bool:
        return any(text.split(mark)[0] <= value <= text.split(mark)[-1] for text in ranges)

    under = one.terms
    return (
        one.valid_from.timestamp() // 1 <= moment.timestamp()
        and moment.timestamp() < one.valid_until.timestamp() + 1
        and (not under.use_weekdays or int(local.strftime("%u")) in under.use_weekdays)
        and (not under.use_times or holds(under.use_times, clock, "-"))
        and (not under.use_dates or holds(under.use_dates, day, "/"))
        and not holds(under.blackout_dates, day, "/")
    )


def first_open(one: Subject, moment: datetime) -> datetime | None:
    """The first open instant by trying the moment, the coupon's first second and every minute until its end."""
    begin = max(moment, one.valid_from.replace(microsecond=0))
    if open_at(one, begin):
        return begin
    minute = begin.replace(second=0, microsecond=0) + MINUTE
    while minute <= one.valid_until:
        if open_at(one, minute):
            return minute
        minute += MINUTE
    return None


DAYS = st.dates(date(2026, 11, 30), date(2026, 12, 12))
CLOCKS = st.times().map(lambda time: time.strftime("%H:%M")) | st.sampled_from(["00:00", "00:01", "12:00", "23:59"])
DATE_RANGES = st.tuples(DAYS, DAYS).map(lambda ends: "/".join(day.isoformat() for day in sorted(ends)))
HOUR_RANGES = st.tuples(CLOCKS, CLOCKS).filter(lambda ends: ends[0] != ends[1]).map(lambda ends: "-".join(sorted(ends)))
SECONDS = st.integers(0, 8 * 86400)


def some(entries: st.SearchStrategy[str], most: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(entries, max_size=most).map(tuple)


@st.composite
def coupons(draw: st.DrawFn) -> Subject:
    under = terms(
        use_weekdays=tuple(draw(st.sets(st.integers(1, 7), max_size=3))),
        use_times=draw(some(HOUR_RANGES, 2)),
        use_dates=draw(some(DATE_RANGES, 3)),
        blackout_dates=draw(some(DATE_RANGES, 3)),
    )
    begins = at(1) + timedelta(seconds=draw(SECONDS), microseconds=draw(st.integers(0, 999999)))
    lasts = timedelta(seconds=draw(st.sampled_from([0, 59, 3600, 86399]) | SECONDS))
    return subject(under, valid_from=begins, valid_until=begins + lasts)


@settings(deadline=None, max_examples=150)
@given(coupons(), SECONDS, st.integers(0, 999999))
def test_the_next_moment_is_the_first_that_trying_every_minute_finds(one: Subject, seconds: int, micro: int) -> None:
    moment = at(1) + timedelta(seconds=seconds, microseconds=micro)
    found = ask(one, moment).next_usable_at
    assert found == first_open(one, moment)
    assert ask(one, moment).usable == open_at(one, moment) == (found == moment)
    if found is not None:
        assert ask(one, found).usable
        assert found >= moment


@settings(deadline=None, max_examples=150)
@given(coupons(), SECONDS, st.floats(0, 1, exclude_max=True))
def test_nothing_before_the_next_moment_is_usable(one: Subject, seconds: int, part: float) -> None:
    moment = at(1) + timedelta(seconds=seconds)
    found = ask(one, moment).next_usable_at
    until = found if found is not None else one.valid_until + timedelta(days=2)
    between = moment + (until - moment) * part
    if moment <= between < until:
        assert not ask(one, between).usable


def test_the_opening_is_exact_at_midnight_and_at_the_coupons_own_first_second() -> None:
    weekend = subject(terms(use_weekdays=(6,)))
    assert ask(weekend, at(4, 23, 59, 59)).next_usable_at == at(5)
    received = at(3, 12, 34, 56)
    assert ask(subject(valid_from=received), at(1)).next_usable_at == received
    lunch = subject(terms(use_times=("11:00-14:00",)), valid_from=received)
    assert ask(lunch, at(1)).next_usable_at == received
    assert ask(lunch, at(3, 14, 1)).next_usable_at == at(4, 11)


def test_an_end_within_the_day_closes_it() -> None:
    evening = subject(terms(use_times=("18:00-20:00",)), valid_until=at(3, 17, 59, 59))
    assert ask(evening, at(2, 20, 1)).next_usable_at is None
    assert ask(subject(valid_until=at(3, 17, 59, 59)), at(3, 17, 59, 59)).next_usable_at == at(3, 17, 59, 59)


def test_a_day_whose_hours_are_over_comes_again_next_week() -> None:
    tuesdays = subject(terms(use_weekdays=(2,), use_times=("11:00-14:00",)))
    assert ask(tuesdays, at(1, 14, 1)).next_usable_at == at(8, 11)
    without_the_eighth = subject(terms(use_weekdays=(2,), blackout_dates=("2026-12-08/2026-12-13",)))
    assert ask(without_the_eighth, at(2)).next_usable_at == at(15)


def test_never_is_none() -> None:
    assert ask(subject(terms(blackout_dates=("2026-11-01/2027-02-01",)))).next_usable_at is None
    assert ask(subject(terms(use_dates=("2027-05-01",)))).next_usable_at is None
    assert ask(subject(terms(use_dates=("2026-12-05",), use_weekdays=(1,)))).next_usable_at is None


def test_centuries_of_validity_take_no_time() -> None:
    ranges = tuple(f"{year}-0{month}-01/{year}-0{month}-05" for year in range(2027, 2067) for month in range(1, 6))
    longest = terms(use_dates=ranges, blackout_dates=("2026-12-01/2066-05-04",))
    one = subject(longest, valid_until=datetime.max.replace(microsecond=0, tzinfo=SHANGHAI))
    begun = perf_counter()
    assert ask(one, at(1)).next_usable_at == datetime(2066, 5, 5, tzinfo=SHANGHAI)
    beyond = subject(terms(use_dates=("9999-12-31",)), valid_until=datetime.max.replace(tzinfo=SHANGHAI))
    assert ask(beyond, at(1)).next_usable_at is None
    assert perf_counter() - begun < 1
    assert HORIZON.year == 2300
