"""Taking coupons back at dfire (seed 003 §8; PROTOCOLS §1): revoked and expired ones, and what dfire should not hold.

A till that redeemed one first wins.
"""

from typing import Any

from coupons import lifecycle
from coupons.choices import CouponStatus, EventKind
from coupons.models import IssuedCoupon
from integrations.dfire import CouponState, DfireError, EmptyError
from integrations.models import OutboxRow
from integrations.models.outbox import Phase
from integrations.outbox import verdicts
from integrations.outbox.handlers import Call, Drop, Handler, Wait
from integrations.sync.deliveries import coupon_of, find_code, find_coupon, look_up, take_over_state
from integrations.sync.identities import Identity, told_identity
from integrations.sync.words import NEVER_SENT, NOT_NEEDED


class Withdraw(Handler):
    """Deletes a customer's coupon at dfire.

    A row with `held_elsewhere` takes a coupon that is good from a holder who is not its customer (`seen`).
    """

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Delete it where reconciliation has seen it, or under the identity that dfire was told; or look first."""
        coupon = coupon_of(row)
        place: Identity | None = row.details.get("seen") or told_identity(coupon)
        if place is None:
            return Drop(NEVER_SENT)
        if row.phase != Phase.SEND:
            return look_up(row, place)
        if coupon.status not in (CouponStatus.REVOKED, CouponStatus.EXPIRED) and not (
            row.details.get("held_elsewhere") and coupon.status == CouponStatus.ISSUED
        ):
            return Drop(NOT_NEEDED)
        return withdrawal(row, place)

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Gone as dfire said, or as its list shows; used there means that the till was first."""
        if row.phase == Phase.SEND:
            self._gone(row)
            return
        found = find_coupon(value, coupon_of(row))
        if found is None:
            self._gone(row)
        elif found.state != CouponState.HELD:
            take_over_state(coupon_of(row), found)
            verdicts.done(row)
        elif refused := row.details.get("refused"):
            self._give_up(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """Not there means gone; any other refusal is looked into first: the till may have been faster."""
        if isinstance(error, EmptyError):
            self._gone(row)
        elif row.phase == Phase.SEND:
            row.details = {**row.details, "refused": {"code": error.code, "message": error.message}}
            verdicts.ask_at_once(row)
        else:
            self._give_up(row, code=error.code, message=error.message)

    def fails(self, row: OutboxRow, why: str) -> None:
        """Show it in the coupon's history too."""
        lifecycle.note(coupon_of(row), EventKind.WITHDRAWAL_FAILED, lifecycle.DFIRE, {"message": why})

    def _gone(self, row: OutboxRow) -> None:
        lifecycle.note(coupon_of(row), EventKind.WITHDRAWN, lifecycle.DFIRE)
        verdicts.done(row)

    def _give_up(self, row: OutboxRow, *, code: str, message: str) -> None:
        verdicts.dead(row, code=code, message=message)
        self.fails(row, message)


def withdrawal(row: OutboxRow, told: Identity) -> Call:
    """The call that takes the row's coupon back from whoever dfire holds it under."""
    coupon, merchant = coupon_of(row), row.merchant
    promotion_id = coupon.version.promotion_id
    return Call(
        "dfire.shop.delete.customer.promotion",
        lambda client: client.delete_customer_promotion(
            entity_id=merchant.entity_id,
            plate_entity_id=merchant.plate_entity_id,
            promotion_id=promotion_id,
            code=coupon.code,
            appid=told["appid"],
            openid=told["openid"],
            mobile=told["mobile"],
        ),
        told,
    )


class WithdrawUnknown(Handler):
    """Deletes a coupon that dfire holds under a code that is none of ours.

    dfire's list names no promotion and its delete call wants one, so the merchant's promotions are tried one after
    another: a code exists once, and a wrong promotion is refused.
    """

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Delete it under the next promotion, or look what became of it."""
        if row.phase != Phase.SEND:
            return look_up(row, row.details["seen"])
        if IssuedCoupon.objects.filter(code=row.details["code"]).exists():
            return Drop(NOT_NEEDED)
        merchant, seen, code = row.merchant, row.details["seen"], row.details["code"]
        promotion_id = row.details["promotion_ids"][row.details["tried"]]
        return Call(
            "dfire.shop.delete.customer.promotion",
            lambda client: client.delete_customer_promotion(
                entity_id=merchant.entity_id,
                plate_entity_id=merchant.plate_entity_id,
                promotion_id=promotion_id,
                code=code,
                **seen,
            ),
            seen,
        )

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Gone, or used before it could be taken back."""
        if row.phase == Phase.SEND:
            verdicts.done(row)
            return
        found = find_code(value, row.details["code"])
        if found is None or found.state != CouponState.HELD:
            verdicts.done(row)
        elif refused := row.details.get("refused"):
            verdicts.dead(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """Perhaps the wrong promotion: the next one. After the last, look."""
        if isinstance(error, EmptyError):
            verdicts.done(row)
        elif row.phase != Phase.SEND:
            verdicts.dead(row, code=error.code, message=error.message)
        elif row.details["tried"] + 1 < len(row.details["promotion_ids"]):
            row.details = {**row.details, "tried": row.details["tried"] + 1}
            verdicts.send(row)
        else:
            row.details = {**row.details, "refused": {"code": error.code, "message": error.message}}
            verdicts.ask_at_once(row)
