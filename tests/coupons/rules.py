"""Coupons and questions for the tests of the rules: plain values, and a row that has reached dfire."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery, Kind
from coupons.lifecycle import Holding
from coupons.models import IssuedCoupon
from coupons.rules import Judgement, Question, Subject, judge
from coupons.terms import Terms
from merchants.clock import SHANGHAI

TUESDAY_NOON = datetime(2026, 12, 1, 12, 30, tzinfo=SHANGHAI)
SHOPS = {"00026863": "西湖店", "00026864": "滨江店"}


def terms(**fields: Any) -> Terms:
    """Ten yuan off any bill in December 2026, but for what is named."""
    plain: dict[str, Any] = {
        "kind": Kind.CASH.value, "title": "减10", "amount_fen": 1000, "percent_paid": None, "min_spend_fen": 0,
        "menu_ids": (), "start_date": date(2026, 12, 1), "end_date": date(2026, 12, 31), "valid_days": None,
        "shop_entity_ids": (), "use_weekdays": (), "use_times": (), "use_dates": (), "blackout_dates": (),
        "channels": (), "notice": "",
    }  # fmt: skip
    return Terms(**{**plain, **fields})


def subject(under: Terms | None = None, **fields: Any) -> Subject:
    """A delivered coupon, valid in December 2026, but for what is named."""
    plain: dict[str, Any] = {
        "status": CouponStatus.ISSUED,
        "delivery": Delivery.DELIVERED,
        "valid_from": datetime(2026, 12, 1, tzinfo=SHANGHAI),
        "valid_until": datetime(2026, 12, 31, 23, 59, 59, tzinfo=SHANGHAI),
        "shops": SHOPS,
    }
    return Subject(terms=under or terms(), **{**plain, **fields})


def ask(one: Subject, moment: datetime = TUESDAY_NOON, **fields: Any) -> Judgement:
    """What the rules say."""
    return judge(one, Question(moment=moment, **fields))


def codes(judgement: Judgement) -> list[str]:
    """The codes of what fails, in their order."""
    return [str(rule.code) for rule in judgement.reasons]


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment of December 2026 in Shanghai; days beyond 31 go on into January."""
    midnight = datetime(2026, 12, 1, tzinfo=SHANGHAI) + timedelta(days=day - 1)
    return midnight + timedelta(hours=hour, minutes=minute, seconds=second)


def delivered(coupon: IssuedCoupon, until: datetime | None = None) -> IssuedCoupon:
    """The coupon, which dfire holds now; `until` is what dfire says of its end."""
    with transaction.atomic():
        holding = Holding(appid="wx1", openid="o1", mobile="", valid_until=until)
        lifecycle.mark_delivered(lifecycle.lock([coupon.pk])[0], holding)
    return IssuedCoupon.objects.select_related("merchant", "version", "redeemed_shop").get(pk=coupon.pk)
