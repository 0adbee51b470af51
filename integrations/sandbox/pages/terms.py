"""A promotion and a coupon in words, for the pages."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from integrations.sandbox.pages.base import day, masked, moment
from integrations.sandbox.promotions import chain_shops
from integrations.sandbox.validation import DISCOUNT, DISH_COUPON, SALE_MONEY


@dataclass(frozen=True, slots=True)
class State:
    """A word for a state, and the tone in which the page shows it."""

    label: str
    tone: str


def yuan(fen: int) -> str:
    """Fen as yuan, without needless zeros."""
    return format(Decimal(fen) / 100, "f")


def benefit(promotion: sqlite3.Row) -> str:
    """What the coupon gives."""
    mode = json.loads(promotion["mode"])
    if mode["modeType"] == DISCOUNT:
        text = gettext("pay %(percent)s%%") % {"percent": mode["discount"]}
    elif mode["modeType"] == SALE_MONEY:
        text = gettext("dish for ¥%(amount)s") % {"amount": yuan(mode["saleMoney"])}
    else:
        text = gettext("¥%(amount)s off") % {"amount": yuan(mode["saveMoney"])}
    least = json.loads(promotion["rules"]).get("minPayMoney") or 0
    if least:
        text += " · " + gettext("from ¥%(amount)s") % {"amount": yuan(least)}
    return text


def promotion_state(promotion: sqlite3.Row) -> State:
    """Whether it can still be issued."""
    if promotion["deleted"]:
        return State(gettext("deleted"), "bad")
    return State(gettext("active"), "good")


def coupon_state(coupon: sqlite3.Row) -> State:
    """Where a coupon stands."""
    return {
        "held": State(gettext("held"), "good"),
        "used": State(gettext("used"), "plain"),
        "deleted": State(gettext("withdrawn"), "bad"),
        "killed": State(gettext("promotion deleted"), "bad"),
    }[coupon["status"]]


def dated(text: str) -> str:
    """``yyyyMMdd`` with dashes."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def terms(promotion: sqlite3.Row) -> list[tuple[str, str]]:
    """Everything that a promotion says, as pairs of a label and a value; what is not set is left out."""
    rules: dict[str, Any] = json.loads(promotion["rules"])
    channels = {"0": gettext("dine-in"), "1": gettext("take-away")}
    kind = gettext("dish coupon") if promotion["promotion_type"] == DISH_COUPON else gettext("coupon")
    pairs = [
        (gettext("Kind"), kind),
        (gettext("Benefit"), benefit(promotion)),
        (gettext("Dates"), f"{dated(promotion['start_date'])} – {dated(promotion['end_date'])}"),
        (gettext("Days after receipt"), str(promotion["dynamic_days"] or "")),
        (gettext("Shops"), ", ".join(chain_shops(promotion)) or gettext("all shops")),
        (gettext("Weekdays (1 = Sunday)"), rules.get("canUseDateInWeek") or ""),
        (gettext("Hours"), rules.get("canUseTime") or ""),
        (gettext("Good on"), rules.get("canUseDate") or ""),
        (gettext("Not on"), rules.get("canNotUseDate") or ""),
        (gettext("Channels"), ", ".join(channels[one] for one in promotion["channels"].split(",") if one)),
        (gettext("Dishes"), rules.get("menuIds") or ""),
        (gettext("Per person"), str(rules.get("perPersonCanGetCouponMaxNum", ""))),
        (gettext("Per person and day"), str(rules.get("perPersonPerDayCanGetCouponNum", ""))),
        (gettext("Entity"), promotion["entity_id"]),
        (gettext("Brand"), promotion["plate_entity_id"]),
        (gettext("dfire's id"), promotion["own_id"]),
    ]
    return [(label, value) for label, value in pairs if value]


def coupon_line(coupon: sqlite3.Row) -> dict[str, Any]:
    """A coupon as a row of a table."""
    return {
        "code": coupon["code"],
        "holder": masked(coupon["openid"]),
        "mobile": masked(coupon["mobile"]),
        "state": coupon_state(coupon),
        "valid": f"{day(coupon['starts_at'])} – {day(coupon['ends_at'])}",
        "delivered_at": moment(coupon["delivered_at"]),
        "used_at": moment(coupon["used_at"]),
    }
