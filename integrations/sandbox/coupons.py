"""What the till side does with a coupon that a customer holds: list, verify, withdraw, transfer.

The semantics of a till ledger: a code is used once, and what was refused changed nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from integrations.sandbox import answers
from integrations.sandbox.answers import Refused
from integrations.sandbox.clock import local, midnight_ms, now_ms, today
from integrations.sandbox.effects import record
from integrations.sandbox.issuing import register_id
from integrations.sandbox.promotions import find_promotion
from integrations.sandbox.store import Store
from integrations.sandbox.validation import need, need_date, need_number

UNKNOWN_COUPON, USED = "014", "015"
WITHDRAWN, NOT_THEIRS, OUT_OF_DATES = "016", "017", "018"
STATUS_USED, STATUS_TRANSFERRED = 1, 2

_NAMED = ("entityId", "plateEntityId", "promotionId", "appid")
_COUNT_REFUSED_VERIFY = "UPDATE coupons SET refused_verifies = refused_verifies + 1 WHERE code = ?"
_HELD_OR_USED = """
SELECT c.*, p.entity_id AS brand FROM coupons c JOIN promotions p USING (app_key, promotion_id)
WHERE c.openid = ? AND c.appid = ? AND c.app_key = ? AND c.plate_entity_id = ?
  AND c.status IN ('held', 'used')
"""
_GIVEN_AWAY = """
SELECT DISTINCT c.*, p.entity_id AS brand FROM transfers t JOIN coupons c USING (code)
JOIN promotions p USING (app_key, promotion_id)
WHERE t.from_openid = ? AND t.appid = ? AND c.app_key = ? AND c.plate_entity_id = ?
  AND c.openid <> t.from_openid
"""


def list_for_customer(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """`dfire.shop.customer.query.promotion`: one openid's coupons, without those over by currDate."""
    _, plate_entity_id, appid, openid = need(params, "entityId", "plateEntityId", "appid", "openid")
    day = midnight_ms(need_date(params, "currDate"))
    wanted = [openid, appid, app_key, plate_entity_id]
    current = [_listed(row, openid) for row in store.rows(_HELD_OR_USED, wanted) if row["ends_at"] >= day]
    given = [_listed(row, openid) for row in store.rows(_GIVEN_AWAY, wanted) if row["ends_at"] >= day]
    return answers.model(current + given)


def verify(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """`dfire.shop.verify.promotion`: used once; a second verify is refused. Fees are in fen."""
    _, _, promotion_id, _, openid, order_id = need(params, *_NAMED, "openid", "orderId")
    need_date(params, "orderDate")
    need_number(params, "needFee")
    need_number(params, "savedFee")
    with store.locked() as db:
        coupon = _find(db, app_key, params, openid)
        if coupon["status"] == "used":
            db.execute(_COUNT_REFUSED_VERIFY, [coupon["code"]])
            raise Refused(USED, "该优惠券已使用")
        find_promotion(
            db,
            app_key=app_key,
            promotion_id=promotion_id,
            plate_entity_id=coupon["plate_entity_id"],
        )
        if not coupon["starts_at"] <= now_ms() or local(coupon["ends_at"]).date() < today():
            raise Refused(OUT_OF_DATES, "该优惠券不在有效期内")
        db.execute(
            "UPDATE coupons SET status = 'used', used_at = ?, used_by = 'verify', order_id = ?,"
            " verified = verified + 1 WHERE code = ?",
            [now_ms(), order_id, coupon["code"]],
        )
        _record_for(db, params, coupon, effect="verified", order_id=order_id)
    return answers.done()


def withdraw(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """`dfire.shop.delete.customer.promotion`: takes a held coupon back; its code may be delivered again."""
    *_, openid, _ = need(params, *_NAMED, "openid", "mobile")
    with store.locked() as db:
        coupon = _find(db, app_key, params, openid)
        if coupon["status"] == "used":
            raise Refused(USED, "该优惠券已使用,不能删除")
        db.execute("UPDATE coupons SET status = 'deleted', deleted = deleted + 1 WHERE code = ?", [coupon["code"]])
        _record_for(db, params, coupon, effect="withdrawn")
    return answers.done()


def transfer(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """The transfer call, under the name that the configuration gives it."""
    *_, appid, giver, receiver, mobile = need(params, *_NAMED, "fromOpenid", "toOpenid", "mobile")
    with store.locked() as db:
        coupon = _find(db, app_key, params, giver)
        if coupon["status"] == "used":
            raise Refused(USED, "该优惠券已使用,不能转赠")
        db.execute(
            "UPDATE coupons SET openid = ?, mobile = ?, transferred = transferred + 1 WHERE code = ?",
            [receiver, mobile, coupon["code"]],
        )
        db.execute(
            "INSERT INTO transfers (code, appid, from_openid, to_openid, at) VALUES (?, ?, ?, ?, ?)",
            [coupon["code"], appid, giver, receiver, now_ms()],
        )
        _record_for(db, params, coupon, effect="transferred")
    return answers.done()


def _find(db: sqlite3.Connection, app_key: str, params: Mapping[str, str], openid: str) -> sqlite3.Row:
    """The coupon that the call names, held or used by that openid, under that promotion."""
    code, promotion_id, plate = need(params, "thirdDeliverCode", "promotionId", "plateEntityId")
    row: sqlite3.Row | None = db.execute("SELECT * FROM coupons WHERE code = ?", [code]).fetchone()
    if row is None or row["app_key"] != app_key or row["plate_entity_id"] != plate:
        raise Refused(UNKNOWN_COUPON, "卡券不存在")
    if row["status"] in ("deleted", "killed"):
        raise Refused(WITHDRAWN, "该优惠券已删除")
    if row["promotion_id"] != promotion_id:
        own = db.execute(
            "SELECT 1 FROM promotions WHERE own_id = ? AND promotion_id = ? AND app_key = ?",
            [promotion_id, row["promotion_id"], app_key],
        ).fetchone()
        if own is None:
            raise Refused(UNKNOWN_COUPON, "卡券与优惠券不匹配")
    if row["openid"] != openid or row["appid"] != params.get("appid", "").strip():
        raise Refused(NOT_THEIRS, "卡券不属于该用户")
    return row


def _listed(row: sqlite3.Row, openid: str) -> dict[str, Any]:
    listed = {
        "entityId": row["entity_id"],
        "openid": openid,
        "thirdDeliverCode": row["code"],
        "appid": row["appid"],
        "plateEntityId": row["plate_entity_id"],
        "brandEntityId": row["brand"],
        "promotionCustomerId": row["customer_id"],
        "customerRegisterId": register_id(row["appid"], openid),
    }
    if row["openid"] != openid:
        listed["status"] = STATUS_TRANSFERRED
    elif row["status"] == "used":
        listed["status"] = STATUS_USED
    return listed


def _record_for(
    db: sqlite3.Connection, params: Mapping[str, str], coupon: sqlite3.Row, *, effect: str, order_id: str = ""
) -> None:
    record(
        db,
        params,
        effect=effect,
        app_key=coupon["app_key"],
        promotion_id=coupon["promotion_id"],
        code=coupon["code"],
        openid=coupon["openid"],
        order_id=order_id,
    )
