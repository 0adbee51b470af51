"""What the till side does with a promotion: save (an upsert), query, delete.

A promotion belongs to the account that saved it. It can be named by the caller's own id or by dfire's.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

from integrations.sandbox import answers
from integrations.sandbox.answers import Refused
from integrations.sandbox.clock import midnight_ms, now_ms, parse_date
from integrations.sandbox.effects import record
from integrations.sandbox.store import Store
from integrations.sandbox.validation import need, read_promotion

UNKNOWN_PROMOTION = "003"

_SAVE = """
INSERT INTO promotions (app_key, promotion_id, own_id, entity_id, plate_entity_id, appid, title,
  promotion_type, mode, rules, start_date, end_date, total_num, dynamic_days, channels, saves, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (app_key, promotion_id) DO UPDATE SET
  entity_id = excluded.entity_id, plate_entity_id = excluded.plate_entity_id, appid = excluded.appid,
  title = excluded.title, promotion_type = excluded.promotion_type, mode = excluded.mode,
  rules = excluded.rules,
  start_date = excluded.start_date, end_date = excluded.end_date, total_num = excluded.total_num,
  dynamic_days = excluded.dynamic_days, channels = excluded.channels, saves = promotions.saves + 1,
  deleted = 0, updated_at = excluded.updated_at
RETURNING own_id
"""
_QUERY = """
SELECT * FROM promotions WHERE app_key = ? AND plate_entity_id = ? AND NOT deleted ORDER BY promotion_id
"""
_HELD = "SELECT code, openid FROM coupons WHERE app_key = ? AND promotion_id = ? AND status = 'held'"


def find_promotion(db: sqlite3.Connection, *, app_key: str, promotion_id: str, plate_entity_id: str) -> sqlite3.Row:
    """A promotion that can be issued, by either id; raises Refused when there is none of this brand."""
    found: sqlite3.Row | None = db.execute(
        "SELECT * FROM promotions WHERE app_key = ? AND promotion_id = ?", [app_key, promotion_id]
    ).fetchone()
    if found is None:
        found = db.execute(
            "SELECT * FROM promotions WHERE own_id = ? AND app_key = ?", [promotion_id, app_key]
        ).fetchone()
    if found is None or found["deleted"] or found["plate_entity_id"] != plate_entity_id:
        raise Refused(UNKNOWN_PROMOTION, "优惠券不存在")
    return found


def chain_shops(promotion: sqlite3.Row) -> list[str]:
    """The shops that a promotion names; none means that all of them take it."""
    named = json.loads(promotion["rules"]).get("chainSuitShopRule") or ""
    return [shop for shop in named.split(",") if shop]


def save(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """`dfire.shop.save.promotion`: create or replace by promotionId; answers dfire's own id."""
    terms = read_promotion(params)
    with store.locked() as db:
        (own_id,) = db.execute(
            _SAVE,
            [
                app_key,
                terms.promotion_id,
                uuid.uuid4().hex,
                terms.entity_id,
                terms.plate_entity_id,
                terms.appid,
                terms.title,
                terms.promotion_type,
                json.dumps(terms.mode),
                json.dumps(terms.rules),
                terms.start.strftime("%Y%m%d"),
                terms.end.strftime("%Y%m%d"),
                terms.total_num,
                terms.dynamic_days,
                terms.channels,
                now_ms(),
            ],
        ).fetchone()
        record(db, params, effect="saved", app_key=app_key, promotion_id=terms.promotion_id)
    return answers.saved(own_id)


def query(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """`dfire.shop.query.promotion`: title, dates and shops of an entity's promotions, all at once."""
    entity_id, plate_entity_id = need(params, "entityId", "plateEntityId")
    rows = store.rows(_QUERY, [app_key, plate_entity_id])
    return answers.model([_shown(row) for row in rows if entity_id in (row["entity_id"], *chain_shops(row))])


def delete(store: Store, app_key: str, params: Mapping[str, str]) -> str:
    """`dfire.shop.delete.promotion`: the promotion ends, and the coupons still held die with it."""
    _, plate_entity_id, promotion_id = need(params, "entityId", "plateEntityId", "promotionId")
    with store.locked() as db:
        row = find_promotion(db, app_key=app_key, promotion_id=promotion_id, plate_entity_id=plate_entity_id)
        named = [app_key, row["promotion_id"]]
        db.execute("UPDATE promotions SET deleted = 1 WHERE app_key = ? AND promotion_id = ?", named)
        record(db, params, effect="deleted", app_key=app_key, promotion_id=row["promotion_id"])
        for code, openid in db.execute(_HELD, named).fetchall():
            db.execute("UPDATE coupons SET status = 'killed', killed = killed + 1 WHERE code = ?", [code])
            record(
                db,
                params,
                effect="killed",
                app_key=app_key,
                promotion_id=row["promotion_id"],
                code=code,
                openid=openid,
            )
    return answers.done()


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    start, end = parse_date(row["start_date"]), parse_date(row["end_date"])
    return {
        "id": row["own_id"],
        "entityId": row["entity_id"],
        "plateEntityId": row["plate_entity_id"],
        "title": row["title"],
        "startTime": midnight_ms(start) if start else None,
        # 00:00 of the last day, as in the seed's sample, though the coupon is good until that day ends.
        "endTime": midnight_ms(end) if end else None,
        "chainStoreIds": chain_shops(row),
        "thirdPromotionId": row["promotion_id"],
    }
