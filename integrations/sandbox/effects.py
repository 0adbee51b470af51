"""The till ledger's journal: one line for every effect that was accepted, never changed afterwards.

Doubles are found by counting here, whatever the coupon's row says by then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from integrations.sandbox.clock import now_ms


def record(
    db: sqlite3.Connection,
    params: Mapping[str, str],
    *,
    effect: str,
    app_key: str,
    promotion_id: str = "",
    code: str = "",
    openid: str = "",
    order_id: str = "",
) -> None:
    """Append one effect; the method is the one the caller named."""
    db.execute(
        "INSERT INTO effects (at, method, effect, app_key, code, promotion_id, openid, order_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [now_ms(), params.get("method", ""), effect, app_key, code, promotion_id, openid, order_id],
    )
