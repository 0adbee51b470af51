"""A coupon's terms: what its holder is promised, as one value that is checked, compared, frozen and read back.

A template is edited freely; a coupon keeps the terms it was issued under (DESIGN, "Money, time, identity").
"""

from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from coupons.choices import Kind
from coupons.ranges import DateRange, TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the holder gets, and when and where.

    Money is integer fen; `percent_paid` is the part of the price that is paid, 1-99; dates are Shanghai dates, both
    ends included; `valid_days` counts from receipt (1 = that day), None means to the end date; weekdays are ISO;
    an empty collection means no restriction.
    """

    kind: str
    title: str
    amount_fen: int | None
    percent_paid: int | None
    min_spend_fen: int
    menu_ids: tuple[str, ...]
    start_date: date
    end_date: date
    valid_days: int | None
    shop_entity_ids: tuple[str, ...]
    use_weekdays: tuple[int, ...]
    use_times: tuple[str, ...]
    use_dates: tuple[str, ...]
    blackout_dates: tuple[str, ...]
    channels: tuple[str, ...]
    notice: str

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field under its own name; dates as ISO text."""
        values = asdict(self)
        return {
            name: value.isoformat() if isinstance(value, date) else list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Terms":
        """The reverse of `to_json`."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        values["start_date"] = date.fromisoformat(stored["start_date"])
        values["end_date"] = date.fromisoformat(stored["end_date"])
        return cls(**values)

    @property
    def kind_choice(self) -> Kind:
        """The kind as its enum."""
        return Kind(self.kind)

    @property
    def date_ranges(self) -> list[DateRange]:
        """The dates on which it may be used."""
        return [DateRange.parse(text) for text in self.use_dates]

    @property
    def blackout_ranges(self) -> list[DateRange]:
        """The dates on which it may not be used."""
        return [DateRange.parse(text) for text in self.blackout_dates]

    @property
    def time_ranges(self) -> list[TimeRange]:
        """The hours of a day in which it may be used."""
        return [TimeRange.parse(text) for text in self.use_times]


TERM_FIELDS = tuple(field.name for field in fields(Terms))
