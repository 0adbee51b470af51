"""How coupons, templates, judgements and customers read in answers. Times are ISO 8601 in Shanghai, money is fen."""

from datetime import datetime
from typing import Any

from coupons.lifecycle import status_now
from coupons.models import CouponTemplate, IssuedCoupon
from coupons.rules import Judgement
from merchants.clock import SHANGHAI
from merchants.models import Customer

_TERMS = (
    "amount_fen", "percent_paid", "min_spend_fen", "menu_ids", "shop_entity_ids", "use_weekdays", "use_times",
    "use_dates", "blackout_dates", "channels", "per_person_limit", "per_person_daily_limit", "valid_days", "notice",
)  # fmt: skip


def coupon_shape(coupon: IssuedCoupon, now: datetime | None = None) -> dict[str, Any]:
    """One coupon with template, version, merchant and customer at hand. Its status is as of `now` (aware).

    The title is the one under which it was issued; a holder who has been erased has no identifier.
    """
    holder = coupon.customer
    return {
        "code": coupon.code,
        "coupon_id": coupon.template.coupon_id,
        "merchant_id": coupon.merchant.merchant_id,
        "title": coupon.version.terms_json["title"],
        "status": status_now(coupon, now).value,
        "delivery": str(coupon.delivery),
        "identifier": holder.identifier if holder.erased_at is None else None,
        "valid_from": time_shape(coupon.valid_from),
        "valid_until": time_shape(coupon.valid_until),
        "issued_at": time_shape(coupon.issued_at),
        "redeemed_at": time_shape(coupon.redeemed_at),
    }


def template_shape(template: CouponTemplate) -> dict[str, Any]:
    """One template with its merchant at hand; `stock` and `stock_left` are null where there is no limit."""
    left = None if template.stock is None else max(template.stock - template.issued_count, 0)
    return {
        "coupon_id": template.coupon_id,
        "reference": template.reference,
        "merchant_id": template.merchant.merchant_id,
        "title": template.title,
        "kind": str(template.kind),
        **{name: getattr(template, name) for name in _TERMS},
        "start_date": template.start_date.isoformat(),
        "end_date": template.end_date.isoformat(),
        "status": str(template.status),
        "stock": template.stock,
        "stock_left": left,
    }


def judgement_shape(judgement: Judgement) -> dict[str, Any]:
    """What the rules say, all of them and those that refuse."""
    return {
        "usable": judgement.usable,
        "reasons": [{"code": rule.code and rule.code.value, "message": rule.words} for rule in judgement.reasons],
        "rules": [
            {
                "rule": rule.name.value,
                "verdict": rule.verdict.value,
                "code": rule.code and rule.code.value,
                "message": rule.words,
            }
            for rule in judgement.rules
        ],
        "next_usable_at": time_shape(judgement.next_usable_at),
    }


def customer_shape(customer: Customer, merchant_id: str) -> dict[str, Any]:
    """One customer."""
    return {
        "identifier": customer.identifier,
        "merchant_id": merchant_id,
        "mobile": customer.mobile,
        "openid": customer.openid,
    }


def time_shape(moment: datetime | None) -> str | None:
    """A moment to the second, with Shanghai's offset."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds") if moment is not None else None
