"""What dfire's answers mean, as typed values, and dfire's local time.

dfire gives instants in epoch milliseconds, but an end is 00:00 of the last day: only its local date is
meaningful, so comparisons go through the dates here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

# China keeps one offset all year and has since 1991, so no time zone database is needed.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


class CouponState(StrEnum):
    """What dfire's list says of a customer's coupon (seed 003 §3; PROTOCOLS §1)."""

    HELD = "held"
    USED = "used"
    TRANSFERRED = "transferred"


def local_date(epoch_seconds: float) -> date:
    """Return the Shanghai date of an instant in epoch seconds."""
    return datetime.fromtimestamp(epoch_seconds, SHANGHAI).date()


def _instant(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(milliseconds=milliseconds % 1000)


def _date(milliseconds: int | None) -> date | None:
    return None if milliseconds is None else local_date(milliseconds // 1000)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion as dfire lists it (seed 003 §1); "" and None stand for fields that were not there."""

    id: str  # dfire's own
    third_promotion_id: str  # ours, "" when it was made at dfire
    entity_id: str
    plate_entity_id: str
    title: str
    start_ms: int | None
    end_ms: int | None
    chain_store_ids: tuple[str, ...]

    @property
    def start_date(self) -> date | None:
        """First day, Shanghai."""
        return _date(self.start_ms)

    @property
    def end_date(self) -> date | None:
        """Last day, Shanghai, itself included."""
        return _date(self.end_ms)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A coupon that dfire put into a customer's hands (seed 003 §2)."""

    code: str  # thirdDeliverCode as echoed, stripped; "" if it was not
    promotion_customer_id: str
    customer_register_id: str
    promotion_id: str  # dfire's own id, also when ours was sent
    name: str
    start_ms: int | None
    end_ms: int | None
    delivered_ms: int | None
    can_deliver: bool | None  # may this customer receive another one

    @property
    def valid_until(self) -> datetime | None:
        """The expiry that dfire keeps for this coupon, aware, UTC."""
        return _instant(self.end_ms)

    @property
    def delivered_at(self) -> datetime | None:
        """When dfire recorded it, aware, UTC."""
        return _instant(self.delivered_ms)


@dataclass(frozen=True, slots=True)
class CustomerPromotion:
    """A row of a customer's coupons (seed 003 §3). `code` is ours, stripped; "" if dfire issued it."""

    code: str
    state: CouponState
    openid: str
    appid: str
    entity_id: str
    plate_entity_id: str
    brand_entity_id: str
    promotion_customer_id: str
    customer_register_id: str
