"""Spending at dfire a coupon that has been redeemed here (seed 003 §5; PROTOCOLS §1).

What a row spends it on stands in its details: `order_id`, `order_date` (ISO, Shanghai), `paid_fen`, `saved_fen`.
"""

from datetime import date
from typing import Any

from coupons import lifecycle
from coupons.choices import CouponStatus
from integrations.dfire import CouponState, DfireError
from integrations.models import OutboxRow
from integrations.models.outbox import Phase
from integrations.outbox import verdicts
from integrations.outbox.handlers import Call, Drop, Handler, Wait
from integrations.sync.deliveries import coupon_of, find_coupon, look_up
from integrations.sync.identities import Identity, places_of
from integrations.sync.words import NEVER_SENT, NOT_NEEDED

NOT_SPENT = "not_spent_at_dfire"


class Verify(Handler):
    """Makes dfire's ledger say that a redeemed coupon is used."""

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Spend it, or look whether it is spent."""
        coupon = coupon_of(row)
        place = next(iter(places_of(row)), None)
        if place is None:
            return Drop(NEVER_SENT)
        if row.phase != Phase.SEND:
            return look_up(row, place)
        return _verification(row, place) if coupon.status == CouponStatus.REDEEMED else Drop(NOT_NEEDED)

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Spent as dfire said, or as its list shows; what it does not hold needs no spending."""
        found = None if row.phase == Phase.SEND else find_coupon(value, coupon_of(row))
        if found is None or found.state != CouponState.HELD:
            verdicts.done(row)
        elif refused := row.details.get("refused"):
            self._give_up(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """Used already is what was wanted: look before calling it failed."""
        if row.phase == Phase.SEND:
            row.details = {**row.details, "refused": {"code": error.code, "message": error.message}}
            verdicts.ask_at_once(row)
        else:
            self._give_up(row, code=error.code, message=error.message)

    def fails(self, row: OutboxRow, why: str) -> None:
        """Put the coupon before staff: at the till it is still good."""
        lifecycle.flag(coupon_of(row), NOT_SPENT)

    def _give_up(self, row: OutboxRow, *, code: str, message: str) -> None:
        verdicts.dead(row, code=code, message=message)
        self.fails(row, message)


def _verification(row: OutboxRow, place: Identity) -> Call:
    coupon, merchant, order = coupon_of(row), row.merchant, row.details
    promotion_id = coupon.version.promotion_id
    return Call(
        "dfire.shop.verify.promotion",
        lambda client: client.verify_promotion(
            entity_id=merchant.entity_id,
            plate_entity_id=merchant.plate_entity_id,
            promotion_id=promotion_id,
            code=coupon.code,
            order_id=order["order_id"],
            order_date=date.fromisoformat(order["order_date"]),
            paid_fen=order["paid_fen"],
            saved_fen=order["saved_fen"],
            appid=place["appid"],
            openid=place["openid"],
            mobile=place["mobile"],
        ),
        place,
    )
