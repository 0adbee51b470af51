"""One story for all examples: merchant 88 gives a summer coupon, which is looked at, passed on and taken back."""

from typing import Any

Example = dict[str, Any]

MERCHANT_ID, COUPON_ID, CODE, IDENTIFIER = "88", "4821739056", "7302918465520417", "member-4711"
MOBILE, OPENID = "13800134711", "o3Pm6uD6KVkMine4711"
KEY = "order-4711"

TEMPLATE: Example = {
    "coupon_id": COUPON_ID,
    "reference": "summer-10",
    "merchant_id": MERCHANT_ID,
    "title": "夏日满60减10元",
    "kind": "cash",
    "amount_fen": 1000,
    "percent_paid": None,
    "min_spend_fen": 6000,
    "menu_ids": [],
    "shop_entity_ids": ["00026863"],
    "use_weekdays": [1, 2, 3, 4, 5],
    "use_times": ["11:00-14:00", "17:00-21:00"],
    "use_dates": [],
    "blackout_dates": ["2026-10-01/2026-10-07"],
    "channels": ["dine_in"],
    "per_person_limit": 3,
    "per_person_daily_limit": 1,
    "valid_days": 30,
    "notice": "每桌限用一张",
    "start_date": "2026-06-01",
    "end_date": "2026-12-31",
    "status": "published",
    "stock": 1000,
    "stock_left": 958,
}
COUPON: Example = {
    "code": CODE,
    "coupon_id": COUPON_ID,
    "merchant_id": MERCHANT_ID,
    "title": "夏日满60减10元",
    "status": "issued",
    "delivery": "delivered",
    "identifier": IDENTIFIER,
    "valid_from": "2026-11-28T09:30:00+08:00",
    "valid_until": "2026-12-27T23:59:59+08:00",
    "issued_at": "2026-11-28T09:30:00+08:00",
    "redeemed_at": None,
}
JUST_ISSUED = COUPON | {"delivery": "waiting"}
PASSED_ON = COUPON | {"identifier": "member-4712", "delivery": "queued"}
SPENT = COUPON | {"status": "redeemed", "redeemed_at": "2026-11-28T12:15:00+08:00"}
BEING_SPENT = COUPON | {"status": "redeeming"}
TAKEN_BACK = COUPON | {"status": "revoked"}
CUSTOMER: Example = {"identifier": IDENTIFIER, "merchant_id": MERCHANT_ID, "mobile": MOBILE, "openid": OPENID}
JUDGEMENT: Example = {
    "usable": False,
    "reasons": [{"code": "below_minimum", "message": "The bill is ¥58.00; it takes at least ¥60.00."}],
    "rules": [
        {"rule": "status", "verdict": "pass", "code": None, "message": "It can be spent."},
        {"rule": "shop", "verdict": "not_asked", "code": None, "message": "Only in 西湖店."},
        {
            "rule": "least_spend",
            "verdict": "fail",
            "code": "below_minimum",
            "message": "The bill is ¥58.00; it takes at least ¥60.00.",
        },
    ],
    "next_usable_at": "2026-11-28T11:00:00+08:00",
}

ISSUE: Example = {"merchant_id": MERCHANT_ID, "coupon_id": COUPON_ID, "identifier": IDENTIFIER}
ISSUE_TO_MOBILE: Example = {
    "merchant_id": MERCHANT_ID,
    "coupon_id": COUPON_ID,
    "mobile": MOBILE,
    "expiration_time": "2099-12-31T23:59:59+08:00",
}
CHECK: Example = {"amount_fen": 5800, "channel": "dine_in"}
TRANSFER: Example = {"to_identifier": "member-4712"}
REDEEM: Example = {"order_id": "order-4711", "paid_fen": 5600, "saved_fen": 1000, "shop_entity_id": "00026863"}
REVOKE: Example = {"reason": "The order was cancelled."}
BIND: Example = {"merchant_id": MERCHANT_ID, "mobile": MOBILE, "openid": OPENID}


def page(row: Example, path: str) -> Example:
    """The first page of a list with this row."""
    return {"next": f"https://portal.example.com/api/v1/{path}/?cursor=n4711", "previous": None, "results": [row]}
