"""Spending at dfire a coupon that has been redeemed here, or that a partner's order wants to redeem (seed 003 §5;
PROTOCOLS §1).

What a row spends it on stands in its details: `order_id`, `order_date` (ISO, Shanghai), `paid_fen`, `saved_fen`, and
the shop's `entity_id` where one was named.
"""

from datetime import date
from typing import Any

from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from integrations.dfire import CouponState, CustomerPromotion, DfireError
from integrations.models import OutboxRow, PartnerOrder
from integrations.models.orders import OrderState
from integrations.models.outbox import Phase
from integrations.outbox import verdicts
from integrations.outbox.handlers import Call, Drop, Handler, Wait
from integrations.sync import redemptions
from integrations.sync.deliveries import coupon_of, find_coupon, look_up
from integrations.sync.identities import Identity, places_of
from integrations.sync.words import NEVER_SENT, NOT_NEEDED

NOT_SPENT = "not_spent_at_dfire"
_SPENT_HERE = (CouponStatus.REDEEMED, CouponStatus.REDEEMING)
_UNKNOWN = (OrderState.OPEN, OrderState.UNDONE)  # of the latter staff could not know either


class Verify(Handler):
    """Makes dfire's ledger say that a coupon is used. Where a partner's order waits for that, it decides the order."""

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Spend it, or look whether it is spent."""
        coupon = coupon_of(row)
        place = next(iter(places_of(row)), None)
        if place is None:
            return Drop(NEVER_SENT)
        if _has_no_say(row, coupon):
            return Drop(NOT_NEEDED)
        if row.phase != Phase.SEND:
            return look_up(row, place)
        return _verification(row, place) if coupon.status in _SPENT_HERE else Drop(NOT_NEEDED)

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Spent as dfire said, or as its list shows; what it does not hold needs no spending."""
        found = None if row.phase == Phase.SEND else find_coupon(value, coupon_of(row))
        if order := _undecided_order(row):
            _answer(row, order) if row.phase == Phase.SEND else _look(row, order, found)
        elif found is None or found.state != CouponState.HELD:
            verdicts.done(row)
        elif refused := row.details.get("refused"):
            self._give_up(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """Used already is what was wanted, or a till was first: look before calling it failed."""
        if row.phase == Phase.SEND:
            row.details = {**row.details, "refused": {"code": error.code, "message": error.message}}
            verdicts.ask_at_once(row)
        elif (order := _undecided_order(row)) and "refused" in row.details and not redemptions.uncertain(row).exists():
            _refuse(row, order)  # it cannot be asked about, and surely was not spent on this order
        else:
            self._give_up(row, code=error.code, message=error.message)

    def drops(self, row: OutboxRow) -> None:
        """An order cannot be redeemed with what dfire was never told of."""
        if (order := _undecided_order(row)) and order.state == OrderState.OPEN:
            redemptions.refused(order, coupon_of(row), code=NEVER_SENT, message="")

    def fails(self, row: OutboxRow, why: str) -> None:
        """Put the coupon before staff: it may be spent at dfire, or at the till it is still good."""
        if redemptions.order_of(row) is None or coupon_of(row).status == CouponStatus.REDEEMED:
            lifecycle.flag(coupon_of(row), NOT_SPENT)
        else:
            redemptions.undecided(coupon_of(row))

    def ends(self, row: OutboxRow) -> None:
        """What waits until it is known whose a redemption is may have to wait no longer."""
        if row.coupon is not None:
            redemptions.call_ended.send(PartnerOrder, coupon=row.coupon)

    def _give_up(self, row: OutboxRow, *, code: str, message: str) -> None:
        verdicts.dead(row, code=code, message=message)
        self.fails(row, message)


def _has_no_say(row: OutboxRow, coupon: IssuedCoupon) -> bool:
    """Whether the row's order is over for good, so that it must not spend the coupon, which another may have by now.

    What staff called off is over where nothing is uncertain, or where the coupon has been redeemed otherwise since.
    """
    order = redemptions.order_of(row)
    if order is not None and order.state == OrderState.UNDONE:
        return coupon.status in _SPENT_HERE or not redemptions.may_have_spent(row)
    return order is not None and order.state in (OrderState.LOST, OrderState.REFUSED)


def _undecided_order(row: OutboxRow) -> PartnerOrder | None:
    order = redemptions.order_of(row)
    return order if order is not None and order.state in _UNKNOWN else None


def _answer(row: OutboxRow, order: PartnerOrder) -> None:
    """dfire spent it on the order."""
    redemptions.won(order, coupon_of(row), at=timezone.now())
    verdicts.done(row)


def _look(row: OutboxRow, order: PartnerOrder, found: CustomerPromotion | None) -> None:
    """What dfire's list means for the order: used is ours if one of our own calls may have done it, else a till's."""
    coupon, ours = coupon_of(row), redemptions.uncertain(row).order_by("-id").first()
    if found is not None and found.state == CouponState.USED:
        if ours is not None:
            redemptions.won(order, coupon, at=min(ours.started_at, timezone.now()), inferred=True)
        else:
            redemptions.lost(order, coupon)
        verdicts.done(row)
    elif order.state == OrderState.UNDONE:
        if found is not None:
            row.details = {**row.details, redemptions.SEEN_UNSPENT: True}
        verdicts.cancel(row, NOT_NEEDED)
    elif "refused" in row.details and (found is not None or ours is None):
        _refuse(row, order)
    elif "refused" in row.details:  # one of our calls may have spent it, and dfire does not show it any more
        verdicts.dead(row, **row.details["refused"])
        redemptions.undecided(coupon)
    elif found is not None or verdicts.seen_absent(row):
        verdicts.send_again(row)


def _refuse(row: OutboxRow, order: PartnerOrder) -> None:
    said = row.details["refused"]
    redemptions.refused(order, coupon_of(row), code=said["code"], message=said["message"])
    verdicts.cancel(row, said["message"])


def _verification(row: OutboxRow, place: Identity) -> Call:
    coupon, merchant, order = coupon_of(row), row.merchant, row.details
    promotion_id = coupon.version.promotion_id
    return Call(
        "dfire.shop.verify.promotion",
        lambda client: client.verify_promotion(
            entity_id=order.get("entity_id") or merchant.entity_id,
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
