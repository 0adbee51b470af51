"""Strict checks of what a caller sends, so that a field the real gateway would refuse is refused here too.

Everything is read from the seed document; `save.promotion` is the large one. A missing field is refused by
the gateway (code 32), a wrong one by the service with resultCode 002; both name the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from integrations.sandbox.answers import GatewayError, Refused
from integrations.sandbox.clock import parse_date

BAD_PARAMETER = "002"
MISSING_ARGUMENT = "32"
CARD_TYPE = "GENERAL_COUPON"
DISCOUNT, SAVE_MONEY, SALE_MONEY = "1", "2", "4"
MODE_FIELDS = {DISCOUNT: "discount", SAVE_MONEY: "saveMoney", SALE_MONEY: "saleMoney"}
DISH_COUPON = "5"
FEN_IN_YUAN = 100
MOST_DAYS = 3650

_DATE_RANGE = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})-(\d{4})\.(\d{2})\.(\d{2})", re.ASCII)
_TIME_RANGE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_ID_LIST = re.compile(r"[0-9A-Za-z_-]+(,[0-9A-Za-z_-]+)*")
_WEEKDAYS = re.compile(r"[1-7](,[1-7])*")
_DIGITS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion as `save.promotion` describes it, once every field has passed. Money is in fen."""

    promotion_id: str
    promotion_type: str
    appid: str
    entity_id: str
    plate_entity_id: str
    title: str
    start: date
    end: date
    mode: dict[str, Any]
    rules: dict[str, Any]
    total_num: int
    dynamic_days: int | None
    channels: str


def bad(name: str, reason: str = "格式错误") -> Refused:
    """A refusal of one field."""
    return Refused(BAD_PARAMETER, f"参数{name}{reason}")


def need(params: Mapping[str, str], *names: str) -> list[str]:
    """The stripped values of required fields (the seed's samples have a newline and a blank in one)."""
    values = [params.get(name, "").strip() for name in names]
    for name, value in zip(names, values, strict=True):
        if not value:
            raise GatewayError(MISSING_ARGUMENT, f"缺少必要的参数{name}", f"请传入参数{name}", name)
    return values


def need_date(params: Mapping[str, str], name: str) -> date:
    """A required ``yyyyMMdd`` date."""
    (text,) = need(params, name)
    day = parse_date(text)
    if day is None:
        raise bad(name, "格式错误,应为yyyyMMdd")
    return day


def need_number(params: Mapping[str, str], name: str) -> int:
    """A required whole number of at least 0."""
    (text,) = need(params, name)
    if not _DIGITS.fullmatch(text):
        raise bad(name, "应为非负整数")
    return int(text)


def read_promotion(params: Mapping[str, str]) -> Promotion:
    """Read the parameters of `save.promotion`, refusing the first field that is wrong."""
    appid, promotion_id, entity_id, plate_entity_id, title = need(
        params, "appid", "promotionId", "entityId", "plateEntityId", "title"
    )
    (card_type,) = need(params, "cardType")
    if card_type != CARD_TYPE:
        raise bad("cardType", f"应为{CARD_TYPE}")
    promotion_type = params.get("promotionType", "").strip() or "1"
    if promotion_type not in ("1", DISH_COUPON):
        raise bad("promotionType", "应为1或5")
    start, end = need_date(params, "startTime"), need_date(params, "endTime")
    if end < start:
        raise bad("endTime", "早于startTime")
    total_num = need_number(params, "totalNum")
    if total_num < 1:
        raise bad("totalNum", "应大于0")
    return Promotion(
        promotion_id=promotion_id,
        promotion_type=promotion_type,
        appid=appid,
        entity_id=entity_id,
        plate_entity_id=plate_entity_id,
        title=title,
        start=start,
        end=end,
        mode=_read_mode(_object(params, "modeList"), promotion_type),
        rules=_read_rules(_object(params, "ruleList"), promotion_type),
        total_num=total_num,
        dynamic_days=_dynamic_days(params),
        channels=_channels(params),
    )


def _object(params: Mapping[str, str], name: str) -> dict[str, Any]:
    (text,) = need(params, name)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise bad(name, "不是合法的JSON") from None
    if not isinstance(value, dict):
        raise bad(name, "应为一个JSON对象")
    return value


def _read_mode(mode: dict[str, Any], promotion_type: str) -> dict[str, Any]:
    kind = mode.get("modeType")
    if kind not in MODE_FIELDS:
        raise bad("modeList.modeType", "应为1、2或4")
    name = MODE_FIELDS[kind]
    if set(mode) != {"modeType", name}:
        raise bad("modeList", f"应只含modeType和{name}")
    if kind == SALE_MONEY and promotion_type != DISH_COUPON:
        raise bad("modeList.modeType", "为4时promotionType应为5")
    amount = _whole(mode[name], f"modeList.{name}")
    if kind == DISCOUNT and not 1 <= amount <= 99:
        raise bad("modeList.discount", "应在1到99之间")
    if kind != DISCOUNT and (amount < FEN_IN_YUAN or amount % FEN_IN_YUAN):
        raise bad(f"modeList.{name}", "单位为分,应为100的整数倍")
    return {"modeType": kind, name: amount}


def _read_rules(rules: dict[str, Any], promotion_type: str) -> dict[str, Any]:
    for name, value in rules.items():
        check = _RULES.get(name)
        if check is None:
            raise bad(f"ruleList.{name}", "不支持")
        if not check(value):
            raise bad(f"ruleList.{name}")
    if promotion_type == DISH_COUPON and not rules.get("menuIds"):
        raise bad("ruleList.menuIds", "不能为空,菜品券必传")
    return rules


def _dynamic_days(params: Mapping[str, str]) -> int | None:
    if not params.get("dynamicDate", "").strip():
        return None
    days = need_number(params, "dynamicDate")
    if not 1 <= days <= MOST_DAYS:
        raise bad("dynamicDate", f"应在1到{MOST_DAYS}之间")
    return days


def _channels(params: Mapping[str, str]) -> str:
    text = params.get("useRangeTypes", "").strip()
    chosen = text.split(",") if text else []
    if not set(chosen) <= {"0", "1"} or len(chosen) != len(set(chosen)):
        raise bad("useRangeTypes", "应为0、1或0,1")
    return text


def _whole(value: object, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    raise bad(name, "应为整数")


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and (value == "" or check(value))


def _date_ranges(text: str) -> bool:
    for part in text.split(","):
        found = _DATE_RANGE.fullmatch(part)
        if not found:
            return False
        first, last = parse_date("".join(found.groups()[:3])), parse_date("".join(found.groups()[3:]))
        if first is None or last is None or last < first:
            return False
    return True


def _time_ranges(text: str) -> bool:
    matches = [_TIME_RANGE.fullmatch(part) for part in text.split(",")]
    return all(found and found.groups()[:2] < found.groups()[2:] for found in matches)


def _weekdays(text: str) -> bool:
    return bool(_WEEKDAYS.fullmatch(text)) and len(set(text.split(","))) == len(text.split(","))


_RULES: dict[str, Callable[[object], bool]] = {
    "canNotUseDate": _text(_date_ranges),
    "canUseDate": _text(_date_ranges),
    "canUseDateInWeek": _text(_weekdays),
    "canUseTime": _text(_time_ranges),
    "chainSuitShopRule": _text(lambda text: bool(_ID_LIST.fullmatch(text))),
    "menuIds": _text(lambda text: bool(_ID_LIST.fullmatch(text))),
    "minPayMoney": _count,
    "perPersonCanGetCouponMaxNum": _count,
    "perPersonPerDayCanGetCouponNum": _count,
}
