"""The demo as a provisioning document: the seed's merchant 88, three shops, six templates, forty-three members."""

from datetime import date, timedelta
from typing import Any

MERCHANT_ID = "88"
ACCOUNT = "sandbox"
PLATFORM = "maxfun"
FIRST_CUSTOMER = "13800138000"
MEMBERS = 40
DAYS = 30  # that the demo has been open for
LIVELY = ["welcome-10", "member-day-20", "dish-28"]  # templates that a month of coupons is issued of


def demo_document(*, router_url: str, keys: dict[str, str], today: date) -> dict[str, Any]:
    """The document; `keys` holds those that `config.demo.loading` makes; dates run from a month before `today` on."""
    first, last = today - timedelta(days=DAYS), today + timedelta(days=60)
    dates = {"start_date": first.isoformat(), "end_date": last.isoformat()}

    def template(reference: str, title: str, kind: str, **fields: Any) -> dict[str, Any]:
        named = {"merchant_id": MERCHANT_ID, "reference": reference, "title": title, "kind": kind}
        return {**named, **dates, "publish": True, **fields}

    return {
        "dfire_accounts": [
            {
                "name": ACCOUNT,
                "base_url": router_url,
                "app_key": keys["app_key"],
                "app_secret": keys["app_secret"],
            }
        ],
        "merchants": [
            {
                "merchant_id": MERCHANT_ID,
                "name": "谷雨小馆",
                "dfire_account": ACCOUNT,
                "entity_id": "99927548",
                "plate_entity_id": "99927571",
                "appid": "wxa0000000027822",
                "shops": [
                    {"entity_id": "00026863", "name": "西湖店"},
                    {"entity_id": "00026864", "name": "滨江店"},
                    {"entity_id": "00026865", "name": "城西店"},
                ],
            }
        ],
        "smart_coupon_accounts": [
            {
                "name": PLATFORM,
                "token": keys["push_token"],
                "merchants": [MERCHANT_ID],
                "consume_base_url": router_url.removesuffix("/router"),
                "app_id": "portal-demo",
                "app_secret": keys["consume_secret"],
            }
        ],
        "customers": [
            _customer(FIRST_CUSTOMER, openid="o3Pm6uD6KVkDemo0001"),
            _customer("13900139000", openid="o3Pm6uD6KVkDemo0002"),
            _customer("13700137000"),  # no openid yet: coupons for this one wait, to be seen waiting
            *(_customer(f"136{n * 7919:08d}", openid=f"o3Pm6uD6KVkMember{n:04d}") for n in range(1, MEMBERS + 1)),
        ],
        "coupon_templates": [
            template("welcome-10", "满50减10", "cash", amount_fen=1000, min_spend_fen=5000, stock=10000),
            template("lunch-88", "工作日午市88折", "discount", percent_paid=88, use_weekdays=[1, 2, 3, 4, 5],
                     use_times=["11:00-14:00"], channels=["dine_in"]),
            template("member-day-20", "会员日满100减20", "cash", amount_fen=2000, min_spend_fen=10000,
                     budget_fen=200000),
            template("birthday-50", "生日满200减50", "cash", amount_fen=5000, min_spend_fen=20000, valid_days=15,
                     per_person_limit=1),
            template("dish-28", "招牌小炒黄牛肉28元", "dish_price", amount_fen=2800, menu_ids=["10086"],
                     shop_entity_ids=["00026863", "00026864"], stock=500),
            template("weekend-30", "周末满150减30（草稿）", "cash", amount_fen=3000, min_spend_fen=15000,
                     use_weekdays=[6, 7], publish=False),
        ],
        "partner_apps": [
            {
                "name": "mini-program",
                "api_key": keys["api_key"],
                "scopes": ["coupons:read", "coupons:issue", "coupons:redeem", "coupons:manage", "customers:write"],
                "merchants": [MERCHANT_ID],
            }
        ],
    }  # fmt: skip


def _customer(mobile: str, openid: str = "") -> dict[str, str]:
    return {"merchant_id": MERCHANT_ID, "identifier": mobile, "mobile": mobile, "openid": openid}
