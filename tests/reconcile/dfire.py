"""A dfire that drifts: its ledger is changed behind the portal's back, through the store that its tills write to."""

from typing import Any

from tests.outbox.dfire import Dfire as OutboxDfire


class Dfire(OutboxDfire):
    """dfire on the other side of the wire, and what may happen there without our knowing."""

    def give_unknown(self, code: str, *, openid: str, status: str = "held") -> None:
        """Somebody holds a code that the portal never heard of."""
        self.write(
            "INSERT INTO coupons (code, app_key, promotion_id, entity_id, plate_entity_id, appid, openid, mobile,"
            " customer_id, status, delivered_at, starts_at, ends_at, delivered)"
            " SELECT ?, app_key, promotion_id, entity_id, plate_entity_id, appid, ?, '13800000000', 'c', ?, 0, 0,"
            " 9e15, 1"
            " FROM promotions LIMIT 1",
            code, openid, status,
        )  # fmt: skip

    def hand_to(self, code: str, openid: str) -> None:
        """Another customer holds it."""
        self.write("UPDATE coupons SET openid = ? WHERE code = ?", openid, code)

    def hold_again(self, code: str) -> None:
        """It is held, whatever was done with it."""
        self.write("UPDATE coupons SET status = 'held' WHERE code = ?", code)

    def rename(self, promotion_id: str, **fields: Any) -> None:
        """Somebody edits a promotion at dfire."""
        for name, value in fields.items():
            self.write(f"UPDATE promotions SET {name} = ? WHERE promotion_id = ?", value, promotion_id)

    def drop_promotion(self, promotion_id: str) -> None:
        """A promotion is gone."""
        self.write("DELETE FROM promotions WHERE promotion_id = ?", promotion_id)

    def write(self, sql: str, *values: Any) -> None:
        """Change the ledger."""
        with self.sandbox.app.store.locked() as db:
            db.execute(sql, values)
