"""The terms of a promotion in our own words, checked before anything is queued or sent.

dfire's traps (weekdays from Sunday, 折 and fen, limits of which 0 means "nobody") stay on the wire's side,
in params.py; here an ISO weekday is an ISO weekday and money is fen (PROTOCOLS §1 "save.promotion").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

WHOLE_BILL = "1"
DISH = "5"

DateRange = tuple[date, date]
TimeWindow = tuple[time, time]


class Channel(StrEnum):
    """Where a coupon may be used."""

    DINE_IN = "dine_in"
    TAKE_AWAY = "take_away"


@dataclass(frozen=True, slots=True)
class Discount:
    """`percent_paid` of the price is paid: 90 is 九折."""

    percent_paid: int

    def __post_init__(self) -> None:
        _whole("percent_paid", self.percent_paid, lowest=1)
        _check(self.percent_paid <= 99, "percent_paid", "must be from 1 to 99")


@dataclass(frozen=True, slots=True)
class SaveMoney:
    """`fen` are taken off; whole yuan."""

    fen: int

    def __post_init__(self) -> None:
        _whole_yuan(self.fen)


@dataclass(frozen=True, slots=True)
class SalePrice:
    """The dish costs `fen`; whole yuan, dish coupons only."""

    fen: int

    def __post_init__(self) -> None:
        _whole_yuan(self.fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionTerms:
    """Everything that `save.promotion` sends. Empty collections mean "no restriction".

    Dates are local days, both ends included; money is fen; `weekdays` are ISO (1 = Monday … 7 = Sunday);
    `valid_days` counts from receipt, None = to `end_date`. Raises ValueError naming the field.
    """

    promotion_id: str
    promotion_type: str  # WHOLE_BILL or DISH
    appid: str
    entity_id: str
    plate_entity_id: str
    title: str
    start_date: date
    end_date: date
    mode: Discount | SaveMoney | SalePrice
    total_num: int
    blackout_ranges: tuple[DateRange, ...] = ()
    usable_ranges: tuple[DateRange, ...] = ()
    weekdays: tuple[int, ...] = ()
    time_windows: tuple[TimeWindow, ...] = ()
    shop_entity_ids: tuple[str, ...] = ()
    min_pay_fen: int = 0
    per_person_limit: int = 100
    per_person_daily_limit: int = 100
    menu_ids: tuple[str, ...] = ()
    valid_days: int | None = None
    channels: tuple[Channel, ...] = ()

    def __post_init__(self) -> None:
        for field in ("promotion_id", "appid", "entity_id", "plate_entity_id", "title"):
            value = getattr(self, field)
            _check(isinstance(value, str) and bool(value.strip()), field, "must be a text that is not blank")
        self._check_kind()
        self._check_days_and_hours()
        self._check_numbers()
        for field in ("shop_entity_ids", "menu_ids"):
            for value in getattr(self, field):
                usable = isinstance(value, str) and bool(value.strip()) and "," not in value
                _check(usable, field, "must hold ids without commas, none blank")
        _check(all(channel in tuple(Channel) for channel in self.channels), "channels", "has an unknown one")

    def _check_kind(self) -> None:
        _check(self.promotion_type in (WHOLE_BILL, DISH), "promotion_type", "must be '1' or '5'")
        _check(isinstance(self.mode, Discount | SaveMoney | SalePrice), "mode", "is of an unknown kind")
        if self.promotion_type == DISH:
            _check(bool(self.menu_ids), "menu_ids", "must name the dishes of a dish coupon")
        else:
            _check(not isinstance(self.mode, SalePrice), "mode", "a sale price is for dish coupons only")
            _check(not self.menu_ids, "menu_ids", "is for dish coupons only")

    def _check_days_and_hours(self) -> None:
        _check_ranges("end_date", [(self.start_date, self.end_date)])
        _check_ranges("blackout_ranges", self.blackout_ranges)
        _check_ranges("usable_ranges", self.usable_ranges)
        for weekday in self.weekdays:
            _whole("weekdays", weekday, lowest=1)
            _check(weekday <= 7, "weekdays", "must be ISO weekdays, 1 = Monday to 7 = Sunday")
        for opens, closes in self.time_windows:
            _check(opens < closes, "time_windows", "must end after they start, on the same day")
            exact = not any(moment.second or moment.microsecond for moment in (opens, closes))
            _check(exact, "time_windows", "must be whole minutes")

    def _check_numbers(self) -> None:
        _whole("total_num", self.total_num, lowest=1)
        _whole("min_pay_fen", self.min_pay_fen, lowest=0)
        # dfire reads 0 as "nobody may have one", whatever the sample in the seed suggests.
        _whole("per_person_limit", self.per_person_limit, lowest=1)
        _whole("per_person_daily_limit", self.per_person_daily_limit, lowest=1)
        if self.valid_days is not None:
            _whole("valid_days", self.valid_days, lowest=1)


def _check(condition: bool, field: str, complaint: str) -> None:
    if not condition:
        raise ValueError(f"{field}: {complaint}")


def _whole(field: str, value: object, *, lowest: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= lowest
    _check(whole, field, f"must be a whole number, {lowest} or more")


def _whole_yuan(fen: int) -> None:
    _whole("fen", fen, lowest=100)
    _check(fen % 100 == 0, "fen", "must be whole yuan, a multiple of 100")


def _check_ranges(field: str, ranges: Iterable[DateRange]) -> None:
    for first, last in ranges:
        # A datetime is a date to Python, but which day it means depends on a zone that dfire cannot see.
        days = all(isinstance(day, date) and not isinstance(day, datetime) for day in (first, last))
        _check(days, field, "must be days without a time")
        _check(first <= last, field, "must not end before it starts")
