"""From our values to the exact strings that dfire expects (seed 003 §4; PROTOCOLS §1 "save.promotion").

The wire has several date formats, JSON inside form fields and its own weekday numbers; all of them are
made here. Every value is a string, because the signature covers the text as sent.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime

from .terms import DISH, Channel, DateRange, Discount, PromotionTerms, SalePrice, SaveMoney

CARD_TYPE = "GENERAL_COUPON"
_USE_RANGES = {Channel.DINE_IN: "0", Channel.TAKE_AWAY: "1"}


def required(**fields: str) -> dict[str, str]:
    """Return `fields` as they are; ValueError naming the first that is blank, TypeError for a non-string."""
    for name, value in fields.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a string")
        if not value.strip():
            raise ValueError(f"{name} must not be blank")
    return fields


def wire_date(day: date) -> str:
    """Return `yyyyMMdd`; TypeError for a datetime, whose day depends on a zone that dfire cannot see."""
    if isinstance(day, datetime):
        raise TypeError("a local date is needed, not a datetime")
    return day.isoformat().replace("-", "")


def wire_fen(name: str, fen: int) -> str:
    """Return an amount in fen as digits; ValueError naming it when it is negative or not whole."""
    if not isinstance(fen, int) or isinstance(fen, bool) or fen < 0:
        raise ValueError(f"{name} must be whole fen, 0 or more")
    return str(fen)


def dfire_weekdays(iso_weekdays: Iterable[int]) -> str:
    """Turn ISO weekdays (1 = Monday … 7 = Sunday) into dfire's, ascending (1 = Sunday … 7 = Saturday)."""
    return ",".join(str(day) for day in sorted({weekday % 7 + 1 for weekday in iso_weekdays}))


def mode_list(mode: Discount | SaveMoney | SalePrice) -> str:
    """Return `modeList`: one JSON object, despite its name."""
    match mode:
        case Discount(percent_paid=percent):
            return _json({"modeType": "1", "discount": percent})
        case SaveMoney(fen=fen):
            return _json({"modeType": "2", "saveMoney": fen})
        case SalePrice(fen=fen):
            return _json({"modeType": "4", "saleMoney": fen})


def rule_list(terms: PromotionTerms) -> str:
    """Return `ruleList`: a JSON object with every key of the seed's sample, plus `menuIds` for dishes."""
    windows = (f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in terms.time_windows)
    rules: dict[str, str | int] = {
        "canNotUseDate": _date_ranges(terms.blackout_ranges),
        "canUseDate": _date_ranges(terms.usable_ranges),
        "canUseDateInWeek": dfire_weekdays(terms.weekdays),
        "canUseTime": ",".join(windows),
        "chainSuitShopRule": ",".join(terms.shop_entity_ids),
        "minPayMoney": terms.min_pay_fen,
        "perPersonCanGetCouponMaxNum": terms.per_person_limit,
        "perPersonPerDayCanGetCouponNum": terms.per_person_daily_limit,
    }
    if terms.promotion_type == DISH:
        rules["menuIds"] = ",".join(terms.menu_ids)
    return _json(rules)


def save_params(terms: PromotionTerms) -> dict[str, str]:
    """Return the parameters of `save.promotion`, system parameters left out."""
    return {
        "promotionType": terms.promotion_type,
        "appid": terms.appid,
        "promotionId": terms.promotion_id,
        "cardType": CARD_TYPE,
        "entityId": terms.entity_id,
        "plateEntityId": terms.plate_entity_id,
        "title": terms.title,
        "startTime": wire_date(terms.start_date),
        "endTime": wire_date(terms.end_date),
        "modeList": mode_list(terms.mode),
        "ruleList": rule_list(terms),
        "totalNum": str(terms.total_num),
        "dynamicDate": "" if terms.valid_days is None else str(terms.valid_days),
        "useRangeTypes": ",".join(sorted({_USE_RANGES[Channel(channel)] for channel in terms.channels})),
    }


def _date_ranges(ranges: Iterable[DateRange]) -> str:
    return ",".join(f"{_dotted(first)}-{_dotted(last)}" for first, last in ranges)


def _dotted(day: date) -> str:
    return day.isoformat().replace("-", ".")


def _json(value: dict[str, str | int]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
