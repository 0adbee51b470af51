"""What a push says, read into our own units, whatever its revision calls things (PROTOCOLS §2)."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from coupons.choices import Kind
from coupons.validation import LONGEST_TITLE
from integrations.hooks.refusals import invalid
from integrations.smart_coupon.fields import LONGEST_IDENTIFIER, Fields
from integrations.smart_coupon.revisions import Revision

TYPE_CASH, TYPE_DISCOUNT = 0, 1
EXPIRES_AT, EXPIRES_AFTER_DAYS = 1, 2
LONGEST_VALIDITY_DAYS = 3650
LONGEST_NOTICE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCoupon:
    """Create a coupon: worth in fen or percent paid; valid to a last day (Shanghai), for days after receipt, or both.

    A campaign of revision 2 or 3 says when it starts and how many there are (`stock`, None = no limit) besides.
    """

    merchant_id: str
    title: str
    kind: str
    amount_fen: int | None
    percent_paid: int | None
    min_spend_fen: int
    expires_at: datetime | None
    valid_days: int | None
    notice: str = ""
    starts_at: datetime | None = None
    stock: int | None = None

    @property
    def end_date(self) -> date | None:
        """The last day of the fixed end. An end at midnight belongs to the day before it."""
        return (self.expires_at - timedelta(seconds=1)).date() if self.expires_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCoupon:
    """Give a coupon to a customer, valid to that second (aware). `told` is what it says of the coupon's worth."""

    merchant_id: str
    coupon_id: str
    identifier: str
    expires_at: datetime
    told: dict[str, Any] = field(default_factory=dict)


def read_create(body: dict[str, Any], revision: Revision) -> CreateCoupon:
    """A create-coupon push (seed 000, 推送优惠券报文; later revisions call it a campaign).

    Raises:
        HookRefused: naming the field.
    """
    fields = Fields(body)
    return CreateCoupon(
        merchant_id=fields.id("merchant_id"),
        title=fields.text(revision.title, longest=LONGEST_TITLE),
        notice=_notice(fields, revision),
        **_worth(fields),
        min_spend_fen=fields.fen(revision.least_spend, default=Decimal(0)),
        **(_campaign(fields) if revision.is_campaign else _validity(fields)),
    )


def read_give(body: dict[str, Any], revision: Revision) -> GiveCoupon:
    """A coupon-detail push (seed 000, 推送优惠券明细报文).

    Raises:
        HookRefused: naming the field.
    """
    fields = Fields(body)
    return GiveCoupon(
        merchant_id=fields.id("merchant_id"),
        coupon_id=fields.id(revision.coupon),
        identifier=fields.id(revision.customer, longest=LONGEST_IDENTIFIER),
        expires_at=fields.instant("expiration_time"),
        told=_told(fields, revision) if revision.is_campaign else {},
    )


def digest(push: CreateCoupon | GiveCoupon) -> str:
    """What makes two pushes the same: every known field after normalising (64 hex digits)."""
    canonical = json.dumps(asdict(push), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _kind(fields: Fields) -> str:
    discount = fields.choice("coupon_type", (TYPE_CASH, TYPE_DISCOUNT)) == TYPE_DISCOUNT
    return (Kind.DISCOUNT if discount else Kind.CASH).value


def _worth(fields: Fields) -> dict[str, Any]:
    """The kind, and its amount in fen or the percent that is paid."""
    kind = _kind(fields)
    if kind == Kind.DISCOUNT:
        return {"kind": kind, "amount_fen": None, "percent_paid": _percent_paid(fields)}
    return {"kind": kind, "amount_fen": _whole_yuan(fields), "percent_paid": None}


def _told(fields: Fields, revision: Revision) -> dict[str, Any]:
    """What a detail repeats of its campaign's worth; an amount without its type in hundredths of a yuan or a 折."""
    told: dict[str, Any] = {}
    if fields.has("coupon_type"):
        told = _worth(fields) if fields.has("coupon_amount") else {"kind": _kind(fields)}
    elif fields.has("coupon_amount"):
        told["hundredths"] = fields.fen("coupon_amount")
    if fields.has(revision.least_spend):
        told["min_spend_fen"] = fields.fen(revision.least_spend)
    return told


def _validity(fields: Fields) -> dict[str, Any]:
    """Revision 1: a fixed end, or days after receipt."""
    if fields.choice("expiration_type", (EXPIRES_AT, EXPIRES_AFTER_DAYS)) == EXPIRES_AT:
        return {"expires_at": fields.instant("expiration_time"), "valid_days": None}
    return {"expires_at": None, "valid_days": _days(fields)}


def _campaign(fields: Fields) -> dict[str, Any]:
    """Later revisions: from when to when coupons are given, so many of them, each valid so many days."""
    starts_at, ends_at = fields.instant("campaign_start_time"), fields.instant("campaign_end_time")
    if ends_at <= starts_at:
        raise invalid("campaign_end_time", "lies before the campaign's start.")
    limit = fields.whole("coupon_limit") if fields.has("coupon_limit") else 0
    if limit < 0:
        raise invalid("coupon_limit", "must not be negative; 0 means no limit.")
    days = _days(fields) if fields.has("expiration_interval") else None
    return {"starts_at": starts_at, "expires_at": ends_at, "valid_days": days, "stock": limit or None}


def _days(fields: Fields) -> int:
    days = fields.whole("expiration_interval")
    if not 1 <= days <= LONGEST_VALIDITY_DAYS:
        raise invalid("expiration_interval", f"must lie between 1 and {LONGEST_VALIDITY_DAYS}.")
    return days


def _notice(fields: Fields, revision: Revision) -> str:
    """The customer's text; none is none."""
    name = revision.notice
    return fields.optional_text(name, longest=LONGEST_NOTICE) if name else ""


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
