"""Reading the till ledger: what is held, what happened to it, and what happened more often than it should.

The control API and the pages both show what this module finds.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from integrations.sandbox.promotions import chain_shops
from integrations.sandbox.store import Store

_COUNTERS = (
    *("delivered", "verified", "redeemed", "deleted", "transferred", "killed"),
    *("refused_deliveries", "refused_verifies"),
)
# A code may be delivered again once it was withdrawn; a coupon may be used once, by whichever way.
DOUBLE_DELIVERY = "delivered > 1 + deleted"
DOUBLE_USE = "verified + redeemed > 1"
_SUMS = {
    "held": "status = 'held'",
    "used": "status = 'used'",
    **{name: name for name in _COUNTERS},
    "delivered_twice": DOUBLE_DELIVERY,
    "used_twice": DOUBLE_USE,
}
_COLUMNS = ", ".join(f"TOTAL({what}) AS {name}" for name, what in _SUMS.items())
_TOTALS = f"SELECT COUNT(*) AS codes, {_COLUMNS} FROM coupons"  # nosec B608 # of the constants above


def promotion_rows(store: Store, *, promotion_id: str = "", limit: int = -1) -> list[sqlite3.Row]:
    """Promotions, by either id or all, the last saved first."""
    return store.rows(
        "SELECT * FROM promotions WHERE ? IN ('', promotion_id, own_id) ORDER BY updated_at DESC LIMIT ?",
        [promotion_id, limit],
    )


def coupon_rows(
    store: Store, *, code: str = "", promotion_id: str = "", status: str = "", limit: int = -1
) -> list[sqlite3.Row]:
    """Coupons, by code, by promotion, by status or all, the last delivered first."""
    if code:
        return store.rows("SELECT * FROM coupons WHERE code = ?", [code])
    return store.rows(
        "SELECT * FROM coupons WHERE ? IN ('', promotion_id) AND ? IN ('', status) ORDER BY delivered_at DESC LIMIT ?",
        [promotion_id, status, limit],
    )


def effect_rows(store: Store, *, code: str = "", limit: int = -1) -> list[sqlite3.Row]:
    """The journal, of one code or of all, in the order in which it happened."""
    if code:
        return store.rows("SELECT * FROM effects WHERE code = ? ORDER BY id", [code])
    return store.rows("SELECT * FROM effects ORDER BY id LIMIT ?", [limit])


def totals(store: Store) -> dict[str, int]:
    """The sums over all coupons, doubles included."""
    row = store.row(_TOTALS)
    return {name: int(row[name]) for name in row.keys()} if row else {}  # noqa: SIM118 - a sqlite3.Row


def report(store: Store, *, code: str = "", promotion_id: str = "", limit: int = -1) -> dict[str, Any]:
    """The whole ledger, or what concerns a code or a promotion."""
    coupons = coupon_rows(store, code=code, promotion_id=promotion_id, limit=limit)
    if code:
        promotion_id = coupons[0]["promotion_id"] if coupons else promotion_id or "-"
    promotions = promotion_rows(store, promotion_id=promotion_id, limit=limit)
    return {
        "totals": totals(store),
        "promotions": [_promotion(row) for row in promotions],
        "coupons": [dict(row) for row in coupons],
        "effects": [dict(row) for row in effect_rows(store, code=code)] if code else [],
    }


def requests(store: Store, *, method: str = "", code: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The last router calls, the newest first."""
    store.commit()
    rows = store.rows(
        "SELECT * FROM requests WHERE ? IN ('', method) AND ? IN ('', code) ORDER BY id DESC LIMIT ?",
        [method, code, limit],
    )
    return [{**dict(row), "params": json.loads(row["params"])} for row in rows]


def _promotion(row: sqlite3.Row) -> dict[str, Any]:
    return {
        **dict(row),
        "mode": json.loads(row["mode"]),
        "rules": json.loads(row["rules"]),
        "shops": chain_shops(row),
        "deleted": bool(row["deleted"]),
    }
