"""The three revisions of the smart-coupon platform's pushes: their fields, their addresses, their signatures.

A revision is data, so that the form on the platform page, the prefilled examples and the sending all read
the same definition.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from integrations.sandbox.clock import now_ms, today
from integrations.sandbox.signing import platform_sign_body, platform_sign_time

COUPON, DETAIL = "coupon", "coupon-detail"
KINDS = (COUPON, DETAIL)
SIGNATURE, SIGNATURE_TIME = "data_signature", "signature_time"
GOOD_FOR_DAYS = 60
TEXT, NUMBER, CHOICE, MOMENT = "text", "number", "choice", "moment"

COUPON_TYPES: tuple[tuple[int, str | Promise], ...] = ((0, _("Cash (yuan)")), (1, _("Discount (折)")))
EXPIRATION_TYPES: tuple[tuple[int, str | Promise], ...] = ((1, _("Fixed end")), (2, _("Days after receipt")))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a push, and how the form asks for it."""

    name: str
    label: str | Promise
    kind: str = TEXT
    choices: tuple[tuple[int, str | Promise], ...] = ()


_NAME = Field("coupon_name", _("Coupon name"))
_CAMPAIGN_NAME = Field("campaign_name", _("Coupon name"))
_NOTICE = Field("campaign_notice", _("Notice"))
_AMOUNT = Field("coupon_amount", _("Amount (yuan) or discount (折)"), NUMBER)
_MIN_BUY = Field("min_buy_price", _("Minimum spend (yuan)"), NUMBER)
_MIN_PURCHASE = Field("min_purchase_price", _("Minimum spend (yuan)"), NUMBER)
_TYPE = Field("coupon_type", _("Kind"), CHOICE, COUPON_TYPES)
_EXPIRATION_TYPE = Field("expiration_type", _("Validity"), CHOICE, EXPIRATION_TYPES)
_EXPIRATION_TIME = Field("expiration_time", _("Expires at"), MOMENT)
_INTERVAL = Field("expiration_interval", _("Days after receipt"), NUMBER)
_LIMIT = Field("coupon_limit", _("Number of coupons (0 = no limit)"), NUMBER)
_STARTS = Field("campaign_start_time", _("Campaign starts"), MOMENT)
_ENDS = Field("campaign_end_time", _("Campaign ends"), MOMENT)
_MERCHANT = Field("merchant_id", _("Merchant id"))
_IDENTIFIER = Field("identifier", _("Customer"))
_CUSTOMER = Field("customer_identifier", _("Customer"))
_COUPON_ID = Field("coupon_id", _("Coupon id"))
_CAMPAIGN_ID = Field("campaign_id", _("Campaign id"))

_CAMPAIGN = (_AMOUNT, _MIN_PURCHASE, _TYPE, _LIMIT, _STARTS, _ENDS, _INTERVAL, _MERCHANT)
_GRANT = (_MERCHANT, _CAMPAIGN_ID, _EXPIRATION_TIME, _TYPE, _AMOUNT, _MIN_PURCHASE)
FIELDS: dict[tuple[int, str], tuple[Field, ...]] = {
    (1, COUPON): (_NAME, _AMOUNT, _MIN_BUY, _TYPE, _EXPIRATION_TYPE, _EXPIRATION_TIME, _INTERVAL, _MERCHANT),
    (1, DETAIL): (_IDENTIFIER, _EXPIRATION_TIME, _COUPON_ID, _MERCHANT),
    (2, COUPON): (_NAME, *_CAMPAIGN),
    (2, DETAIL): (_IDENTIFIER, *_GRANT),
    (3, COUPON): (_CAMPAIGN_NAME, _NOTICE, *_CAMPAIGN),
    (3, DETAIL): (_CUSTOMER, *_GRANT),
}
REVISIONS = (1, 2, 3)


def example(
    revision: int,
    kind: str,
    *,
    merchant_id: str,
    customer: str,
    coupon: Mapping[str, Any] | None,
    coupon_id: str,
) -> dict[str, Any]:
    """A push to begin with: the seed's sample with dates in the future, or a detail of the last coupon."""
    last_day = today() + timedelta(days=GOOD_FOR_DAYS)
    values: dict[str, Any] = {
        "coupon_name": "现金券",
        "campaign_name": "现金券",
        "campaign_notice": "优惠券说明",
        "coupon_amount": 10,
        "min_buy_price": 0,
        "min_purchase_price": 0,
        "coupon_type": 0,
        "expiration_type": 1,
        "expiration_time": _end_of(last_day),
        "expiration_interval": 1 if revision == 1 else 15,
        "coupon_limit": 0,
        "campaign_start_time": f"{today().isoformat()} 00:00:00",
        "campaign_end_time": _end_of(last_day),
        "merchant_id": merchant_id,
        "identifier": customer,
        "customer_identifier": customer,
        "coupon_id": coupon_id,
        "campaign_id": coupon_id,
    }
    if kind == DETAIL and coupon:
        for name in ("coupon_amount", "coupon_type", "min_purchase_price", "merchant_id"):
            values[name] = coupon.get(name, values[name])
        values["expiration_time"] = (
            coupon.get("expiration_time") or coupon.get("campaign_end_time") or values["expiration_time"]
        )
    return {field.name: values[field.name] for field in FIELDS[revision, kind]}


def signed(revision: int, body: str, developer_key: str) -> str:
    """The body with its signature; unchanged for revision 1, without a key, or when it is no JSON object."""
    try:
        data = json.loads(body)
    except ValueError:
        return body
    if revision == 1 or not developer_key or not isinstance(data, dict):
        return body
    if revision == 2:
        data[SIGNATURE] = platform_sign_body(data, developer_key)
    else:
        data[SIGNATURE_TIME] = str(now_ms())
        data[SIGNATURE] = platform_sign_time(data[SIGNATURE_TIME], developer_key)
    return pretty(data)


def returned_id(answer: str, kind: str) -> str:
    """The id that an answer gives, in any revision's form; empty when it gives none."""
    try:
        data = json.loads(answer)
    except ValueError:
        return ""
    if not isinstance(data, dict):
        return ""
    result = data.get("result")
    found: dict[str, Any] = result if isinstance(result, dict) else data
    names = ("coupon_id", "campaign_id") if kind == COUPON else ("coupon_detail_id", "coupon_id")
    value = next((found[name] for name in names if found.get(name)), "")
    return str(value)


def fields_of(body: str) -> dict[str, Any]:
    """The fields of a push without its signature; none when the text is no JSON object."""
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(data, dict):
        return {}
    return {name: value for name, value in data.items() if name not in (SIGNATURE, SIGNATURE_TIME)}


def pretty(data: object) -> str:
    """JSON as a person reads it."""
    return json.dumps(data, ensure_ascii=False, indent=2)


def _end_of(day: date) -> str:
    return f"{day.isoformat()} 23:59:59"
