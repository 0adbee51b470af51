"""`dfire.shop.deliver.promotion`: a customer receives a coupon, within the limits of its promotion.

A code exists once. What the limits refuse is answered with success and `deliverSuccess` false, as dfire does.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import date, timedelta

from integrations.sandbox import answers
from integrations.sandbox.answers import Refused
from integrations.sandbox.clock import midnight_ms, now_ms, parse_date, today
from integrations.sandbox.effects import record
from integrations.sandbox.promotions import find_promotion
from integrations.sandbox.store import Store
from integrations.sandbox.validation import need

DUPLICATE = "004"
DEFAULT_PER_PERSON = 100

_DELIVER = """
INSERT INTO coupons (code, app_key, promotion_id, entity_id, plate_entity_id, appid, openid, mobile,
  customer_id, status, delivered_at, starts_at, ends_at, delivered)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'held', ?, ?, ?, 1)
ON CONFLICT (code) DO UPDATE SET
  app_key = excluded.app_key, promotion_id = excluded.promotion_id, entity_id = excluded.entity_id,
  plate_entity_id = excluded.plate_entity_id, appid = excluded.appid, openid = excluded.openid,
  mobile = excluded.mobile, customer_id = excluded.customer_id, status = 'held',
  delivered_at = excluded.delivered_at, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
  delivered = coupons.delivered + 1
"""
_COUNT_REFUSED_DELIVERY = "UPDATE coupons SET refused_deliveries = refused_deliveries + 1 WHERE code = ?"
_COUNT_ISSUED = "UPDATE promotions SET delivered = delivered + 1 WHERE app_key = ? AND promotion_id = ?"
_COUNT_RECEIVED = """
INSERT INTO receipts (app_key, promotion_id, openid, day, count) VALUES (?, ?, ?, ?, 1)
ON CONFLICT (app_key, promotion_id, openid, day) DO UPDATE SET count = receipts.count + 1
"""


def deliver(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """`dfire.shop.deliver.promotion`: success even when limits refuse it; `deliverSuccess` tells."""
    entity_id, plate_entity_id, promotion_id, appid, openid, mobile, code = need(
        params, "entityId", "plateEntityId", "promotionId", "appid", "openid", "mobile", "thirdDeliverCode"
    )
    with store.locked() as db:
        promotion = find_promotion(db, app_key=app_key, promotion_id=promotion_id, plate_entity_id=plate_entity_id)
        promotion_id = promotion["promotion_id"]
        present = db.execute("SELECT status FROM coupons WHERE code = ?", [code]).fetchone()
        if present is not None and present["status"] != "deleted":
            db.execute(_COUNT_REFUSED_DELIVERY, [code])
            raise Refused(DUPLICATE, "卡券code重复")
        now, day = now_ms(), today()
        starts_at, ends_at = _validity(promotion, now, day)
        room = _room(db, promotion, openid, day)
        customer_id = ""
        if room > 0:
            customer_id = plate_entity_id + secrets.token_hex(11)
            db.execute(
                _DELIVER,
                [
                    *(code, app_key, promotion_id, entity_id, plate_entity_id, appid, openid, mobile),
                    *(customer_id, now, starts_at, ends_at),
                ],
            )
            _count(db, promotion, openid, day)
            record(
                db,
                params,
                effect="delivered",
                app_key=app_key,
                promotion_id=promotion_id,
                code=code,
                openid=openid,
            )
    return answers.model(
        {
            "promotionCustomerId": customer_id,
            "customerregisterId": register_id(appid, openid),
            "promotionId": promotion["own_id"],
            "name": promotion["title"],
            "starttime": starts_at,
            "endtime": ends_at,
            "canDeliver": room > 1,
            "delivertime": now,
            "deliverSuccess": room > 0,
            "thirdDeliverCode": code,
        }
    )


def register_id(appid: str, openid: str) -> str:
    """dfire's id of a customer, the same for the same person every time."""
    return hashlib.sha256(f"{appid}\n{openid}".encode()).hexdigest()[:32]


def _count(db: sqlite3.Connection, promotion: sqlite3.Row, openid: str, day: date) -> None:
    named = [promotion["app_key"], promotion["promotion_id"]]
    db.execute(_COUNT_ISSUED, named)
    db.execute(_COUNT_RECEIVED, [*named, openid, day.strftime("%Y%m%d")])


def _validity(promotion: sqlite3.Row, now: int, day: date) -> tuple[int, int]:
    start, end = parse_date(promotion["start_date"]), parse_date(promotion["end_date"])
    if start is None or end is None:  # cannot be: save has read both
        raise Refused("005", "优惠券日期错误")
    if promotion["dynamic_days"]:
        end = min(end, max(day, start) + timedelta(days=promotion["dynamic_days"] - 1))
    return max(now, midnight_ms(start)), midnight_ms(end)


def _room(db: sqlite3.Connection, promotion: sqlite3.Row, openid: str, day: date) -> int:
    """How many more this person may receive now. A limit of 0 means none, and deletions give nothing back."""
    if promotion["end_date"] < day.strftime("%Y%m%d"):
        return 0
    rules = json.loads(promotion["rules"])
    received = dict(
        db.execute(
            "SELECT day, count FROM receipts WHERE app_key = ? AND promotion_id = ? AND openid = ?",
            [promotion["app_key"], promotion["promotion_id"], openid],
        ).fetchall()
    )
    per_person = rules.get("perPersonCanGetCouponMaxNum", DEFAULT_PER_PERSON)
    per_day = rules.get("perPersonPerDayCanGetCouponNum", DEFAULT_PER_PERSON)
    return int(
        min(
            promotion["total_num"] - promotion["delivered"],
            per_person - sum(received.values()),
            per_day - received.get(day.strftime("%Y%m%d"), 0),
        )
    )
