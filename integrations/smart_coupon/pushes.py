"""What a push says, read into our own units: the only place that knows the platform's field names (PROTOCOLS §2)."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from coupons.choices import Kind
from coupons.validation import LONGEST_TITLE
from integrations.hooks.refusals import HookCode, HookRefused, invalid
from integrations.smart_coupon.fields import LONGEST_IDENTIFIER, Fields

REVISION = 1
# Fields that only later revisions have tell them apart from the first.
LATER_REVISIONS = ("data_signature", "signature_time", "campaign_id", "campaign_start_time", "campaign_name")

TYPE_CASH, TYPE_DISCOUNT = 0, 1
EXPIRES_AT, EXPIRES_AFTER_DAYS = 1, 2
LONGEST_VALIDITY_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCoupon:
    """Create a coupon: worth in fen or percent paid; either a fixed last day (Shanghai) or days after receipt."""

    merchant_id: str
    title: str
    kind: str
    amount_fen: int | None
    percent_paid: int | None
    min_spend_fen: int
    expires_at: datetime | None
    valid_days: int | None

    @property
    def end_date(self) -> date | None:
        """The last day of the fixed end. An end at midnight belongs to the day before it."""
        return (self.expires_at - timedelta(seconds=1)).date() if self.expires_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCoupon:
    """Give a coupon to a customer, valid to that second (aware)."""

    merchant_id: str
    coupon_id: str
    identifier: str
    expires_at: datetime


def check_revision(body: dict[str, Any]) -> None:
    """Take nothing but revision 1.

    Raises:
        HookRefused: a field is there that only later revisions have.
    """
    if later := next((name for name in LATER_REVISIONS if name in body), None):
        raise HookRefused(HookCode.UNSUPPORTED_REVISION, "this revision of the push is not taken.", field=later)


def read_create(body: dict[str, Any]) -> CreateCoupon:
    """A create-coupon push of revision 1 (seed 000, 推送优惠券报文).

    Raises:
        HookRefused: naming the field.
    """
    fields = Fields(body)
    amount_fen, percent_paid, kind = None, None, Kind.CASH
    if fields.choice("coupon_type", (TYPE_CASH, TYPE_DISCOUNT)) == TYPE_DISCOUNT:
        kind, percent_paid = Kind.DISCOUNT, _percent_paid(fields)
    else:
        amount_fen = _whole_yuan(fields)
    expires_at, valid_days = None, None
    if fields.choice("expiration_type", (EXPIRES_AT, EXPIRES_AFTER_DAYS)) == EXPIRES_AT:
        expires_at = fields.instant("expiration_time")
    else:
        valid_days = fields.whole("expiration_interval")
        if not 1 <= valid_days <= LONGEST_VALIDITY_DAYS:
            raise invalid("expiration_interval", f"must lie between 1 and {LONGEST_VALIDITY_DAYS}.")
    return CreateCoupon(
        merchant_id=fields.id("merchant_id"),
        title=fields.text("coupon_name", longest=LONGEST_TITLE),
        kind=kind.value,
        amount_fen=amount_fen,
        percent_paid=percent_paid,
        min_spend_fen=fields.fen("min_buy_price", default=Decimal(0)),
        expires_at=expires_at,
        valid_days=valid_days,
    )


def read_give(body: dict[str, Any]) -> GiveCoupon:
    """A coupon-detail push of revision 1 (seed 000, 推送优惠券明细报文).

    Raises:
        HookRefused: naming the field.
    """
    fields = Fields(body)
    return GiveCoupon(
        merchant_id=fields.id("merchant_id"),
        coupon_id=fields.id("coupon_id"),
        identifier=fields.id("identifier", longest=LONGEST_IDENTIFIER),
        expires_at=fields.instant("expiration_time"),
    )


def digest(push: CreateCoupon | GiveCoupon) -> str:
    """What makes two pushes the same: every known field after normalising (64 hex digits)."""
    canonical = json.dumps(asdict(push), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _percent_paid(fields: Fields) -> int:
    """折 to percent: 7.5 means that 75 percent is paid."""
    tenths = fields.number("coupon_amount")
    if not 0 < tenths < 10:
        raise invalid("coupon_amount", "a discount (折) lies between 0 and 10; 7.5 means that 75 percent is paid.")
    percent = tenths * 10
    if percent != percent.to_integral_value():
        raise invalid("coupon_amount", "tills take whole percents: a discount has at most one decimal.")
    return int(percent)


def _whole_yuan(fields: Fields) -> int:
    fen = fields.fen("coupon_amount")
    if fen == 0 or fen % 100:
        raise invalid("coupon_amount", "tills take whole yuan: the amount must be a whole number above 0.")
    return fen
