"""What a till checks before it takes a coupon: state, dates, weekdays, hours, shops.

Each rule that refuses gives a stable code and words for the cashier. Nothing here changes anything.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from integrations.sandbox.clock import local
from integrations.sandbox.promotions import chain_shops


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that refuses."""

    code: str
    message: str


def refusals(
    *, coupon: sqlite3.Row | None, promotion: sqlite3.Row | None, shop_entity_id: str, now_ms: int
) -> list[Refusal]:
    """Every rule that refuses this coupon at this shop now; none means that the till takes it."""
    if coupon is None or promotion is None:
        return [Refusal("unknown", gettext("This till does not know the code."))]
    found = [*_state(coupon), *_dates(coupon, now_ms), *_hours(promotion, local(now_ms))]
    shops = chain_shops(promotion)
    if shops and shop_entity_id and shop_entity_id not in shops:
        found.append(Refusal("shop", gettext("The coupon is not good at this shop.")))
    return found


def _state(coupon: sqlite3.Row) -> list[Refusal]:
    if coupon["status"] == "used":
        return [Refusal("used", gettext("The coupon has been used already."))]
    if coupon["status"] != "held":
        return [Refusal("withdrawn", gettext("The coupon has been withdrawn."))]
    return []


def _dates(coupon: sqlite3.Row, now_ms: int) -> list[Refusal]:
    if now_ms < coupon["starts_at"]:
        return [Refusal("not_started", gettext("The coupon is not valid yet."))]
    if local(now_ms).date() > local(coupon["ends_at"]).date():
        return [Refusal("ended", gettext("The coupon has expired."))]
    return []


def _hours(promotion: sqlite3.Row, now: datetime) -> list[Refusal]:
    rules = json.loads(promotion["rules"])
    found = []
    weekdays = rules.get("canUseDateInWeek")
    if weekdays and str(now.isoweekday() % 7 + 1) not in weekdays.split(","):
        found.append(Refusal("weekday", gettext("The coupon is not good on this day of the week.")))
    hours = rules.get("canUseTime")
    if hours and not _within(hours, now.strftime("%H:%M")):
        found.append(Refusal("time", gettext("The coupon is not good at this time of day.")))
    today = now.strftime("%Y.%m.%d")
    days = rules.get("canUseDate")
    if days and not _within(days, today):
        found.append(Refusal("date", gettext("The coupon is not good today.")))
    excluded = rules.get("canNotUseDate")
    if excluded and _within(excluded, today):
        found.append(Refusal("excluded_date", gettext("Today is excluded for this coupon.")))
    return found


def _within(ranges: str, value: str) -> bool:
    """Both of dfire's range forms compare as text: ``2017.06.22-2017.06.23`` and ``00:00-11:00``."""
    pairs = (part.split("-") for part in ranges.split(","))
    return any(first <= value <= last for first, last in pairs)
