"""A partner's order redeems a coupon: begun in one transaction, settled by what dfire says to the order's verify call.

`verifications` makes the calls and comes here with what they brought. An order ends in one of four ways: dfire spent
the coupon on it, a till had been first, dfire refuses it, or staff decided where dfire left it open. What is uncertain
stays open and is asked about; meanwhile the coupon is `redeeming`. `open_redemptions` is what staff do about that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Source
from coupons.models import IssuedCoupon
from integrations.dfire.codes import ResultClass
from integrations.models import OutboxAttempt, OutboxRow, PartnerApp, PartnerOrder
from integrations.models.orders import OrderState
from integrations.models.outbox import UNSETTLED, RowKind, RowState
from integrations.outbox.evidence import may_have_happened
from integrations.outbox.queue import put, row_for
from merchants.models import Shop
from merchants.privacy import names_of, without_names

UNDECIDED = "redeeming_undecided"  # the flag of a coupon whose redemption dfire leaves open: staff decide

BOTH_SAY = "redeemed_by_two"  # the flag of one that an order is concluded to have won, while a till says so too

SEEN_UNSPENT = "seen_unspent"  # in a row's details: after its calls dfire was seen not to have spent the coupon

redemption_settled = Signal()  # coupon: IssuedCoupon - locked, inferred: bool; its order is not open any more
call_ended = Signal()  # coupon: IssuedCoupon - locked; a call for an order of it has ended, whatever came of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a partner wants to redeem a coupon on. Money in fen, the date is a Shanghai day."""

    order_id: str
    order_date: date
    paid_fen: int
    saved_fen: int
    shop_entity_id: str = ""


@transaction.atomic
def begin(app: PartnerApp, coupon: IssuedCoupon, order: Order) -> PartnerOrder:
    """Begin to redeem a locked coupon, for which the rules have been asked. dfire is told behind it.

    Raises:
        Refused: it is over, being redeemed already, or has not reached dfire.
    """
    actor = f"api:{app.name}"
    details = {"order": order.order_id, "paid_fen": order.paid_fen, "saved_fen": order.saved_fen}
    lifecycle.begin_redeeming(coupon, actor=actor, details={**details, "entity_id": order.shop_entity_id})
    row = row_for(RowKind.VERIFY, coupon.merchant, template=coupon.template, coupon=coupon)
    row.details = {
        "order_id": order.order_id, "order_date": order.order_date.isoformat(), "paid_fen": order.paid_fen,
        "saved_fen": order.saved_fen, "entity_id": order.shop_entity_id,
    }  # fmt: skip
    [stored] = put([row])
    return PartnerOrder.objects.create(
        app=app,
        actor=actor,
        coupon=coupon,
        merchant_id=coupon.merchant_id,
        order_id=order.order_id,
        order_date=order.order_date,
        paid_fen=order.paid_fen,
        saved_fen=order.saved_fen,
        shop=Shop.objects.filter(merchant=coupon.merchant_id, entity_id=order.shop_entity_id).first(),
        row=stored,
        began_at=timezone.now(),
    )


def is_asked_about(coupon: IssuedCoupon) -> bool:
    """Whether something of an earlier order is on its way to dfire still: no other may begin before that is known."""
    return OutboxRow.objects.filter(coupon=coupon, kind=RowKind.VERIFY, state__in=UNSETTLED).exists()


def order_of(row: OutboxRow) -> PartnerOrder | None:
    """The order that the row tells dfire of, whatever has become of it; None for one of reconciliation's."""
    return PartnerOrder.objects.select_related("shop").filter(row=row).first()


def uncertain(row: OutboxRow | None) -> QuerySet[OutboxAttempt]:
    """The row's own calls that may have spent the coupon. dfire's "have it already" is about another."""
    sent = may_have_happened(OutboxAttempt.objects.filter(row=row)) if row is not None else OutboxAttempt.objects.none()
    return sent.exclude(result=ResultClass.DUPLICATE)


def may_have_spent(row: OutboxRow | None) -> bool:
    """Whether a call for the row's order may have spent the coupon, and dfire was not seen to hold it afterwards."""
    return row is not None and SEEN_UNSPENT not in row.details and uncertain(row).exists()


def won(order: PartnerOrder, coupon: IssuedCoupon, *, at: datetime, inferred: bool = False) -> None:
    """dfire has spent the locked coupon on the order."""
    settle(order, coupon, OrderState.REDEEMED, inferred=inferred)
    marks = {"inferred": True} if inferred else {}
    lifecycle.finish_redeeming(
        coupon, actor=order.actor, at=at, shop=order.shop, saved_fen=order.saved_fen, paid_fen=order.paid_fen,
        details={"order": order.order_id, **marks},
    )  # fmt: skip
    redemption_settled.send(PartnerOrder, coupon=coupon, inferred=inferred)


def lost(order: PartnerOrder, coupon: IssuedCoupon) -> None:
    """A till had spent the locked coupon before. Its callback says when and where, if it is here already."""
    settle(order, coupon, OrderState.LOST)
    redemption_settled.send(PartnerOrder, coupon=coupon, inferred=False)
    lifecycle.redeem_at_till(coupon, at=timezone.now(), details={"seen_in_list": True})


def refused(order: PartnerOrder, coupon: IssuedCoupon, *, code: str, message: str) -> None:
    """dfire does not spend the locked coupon on the order, which stays refused. The coupon can be used again."""
    message = without_names(message, names_of(coupon.customer) | {coupon.delivered_openid, coupon.delivered_mobile})
    settle(order, coupon, OrderState.REFUSED, code=code[:50], message=message[:500])
    lifecycle.stop_redeeming(
        coupon, actor=lifecycle.DFIRE, details={"order": order.order_id, "code": code, "message": message}
    )
    redemption_settled.send(PartnerOrder, coupon=coupon, inferred=False)


def undecided(coupon: IssuedCoupon) -> None:
    """Put a locked coupon before staff whose redemption dfire leaves open."""
    if coupon.status == CouponStatus.REDEEMING and coupon.flag != UNDECIDED:
        lifecycle.flag(coupon, UNDECIDED)


def till_was_first(coupons: Iterable[IssuedCoupon]) -> None:
    """Locked coupons have been redeemed by tills: orders that were open for them have lost."""
    at_tills = {coupon.pk: coupon for coupon in coupons if coupon.redeemed_through == Source.TILL}
    for order in PartnerOrder.objects.filter(coupon__in=at_tills, state=OrderState.OPEN):
        settle(order, at_tills[order.coupon_id], OrderState.LOST)
        redemption_settled.send(PartnerOrder, coupon=at_tills[order.coupon_id], inferred=False)


def may_be_echo(coupon: IssuedCoupon) -> bool:
    """Whether a till's callback for a locked coupon may be the echo of our own call, so that this is settled first.

    Where nothing asks any more, the callback itself proves what was uncertain: the order is concluded to have won.
    """
    order = open_order(coupon) or _undone_perhaps_wrongly(coupon)
    if order is None:
        return False
    row = order.row
    if row is not None and row.state == RowState.SENDING:
        return True
    if row is not None and row.state in UNSETTLED:
        return uncertain(row).exists()
    if conclude(coupon):
        both_say(coupon)
    return False


def both_say(coupon: IssuedCoupon) -> None:
    """Put a locked coupon before staff whose order is concluded to have won, while a till says so too."""
    if coupon.flag != lifecycle.DECIDED_OTHERWISE:  # which says more
        lifecycle.flag(coupon, BOTH_SAY)


def conclude(coupon: IssuedCoupon) -> bool:
    """dfire is known to hold a locked coupon as used: if a call for its order may have done it, the order has won.

    It may be one that staff have called off meanwhile.

    Returns:
        Whether it has; else it was a till.
    """
    order = open_order(coupon) or _undone_perhaps_wrongly(coupon)
    ours = uncertain(order.row).order_by("-id").first() if order is not None else None
    if order is None or ours is None:
        return False
    won(order, coupon, at=min(ours.started_at, timezone.now()), inferred=True)
    return True


def open_order(coupon: IssuedCoupon) -> PartnerOrder | None:
    """The order on which the coupon is being redeemed."""
    if coupon.status != CouponStatus.REDEEMING:
        return None
    return PartnerOrder.objects.select_related("row", "shop").filter(coupon=coupon, state=OrderState.OPEN).first()


def _undone_perhaps_wrongly(coupon: IssuedCoupon) -> PartnerOrder | None:
    """The last order that staff called off and that may have spent the coupon all the same, if nothing has since."""
    if coupon.status in (CouponStatus.REDEEMING, CouponStatus.REDEEMED):
        return None
    undone = PartnerOrder.objects.select_related("row", "shop").filter(coupon=coupon, state=OrderState.UNDONE)
    return next((order for order in undone.order_by("-id") if may_have_spent(order.row)), None)


def settle(order: PartnerOrder, coupon: IssuedCoupon, state: OrderState, **facts: Any) -> None:
    """The order of a locked coupon has come to an end."""
    order.state, order.settled_at = state, timezone.now()
    for name, value in facts.items():
        setattr(order, name, value)
    order.save(update_fields=["state", "settled_at", "decided_by", *facts])
    if coupon.flag == UNDECIDED:  # there is nothing left to decide
        coupon.flag = ""
        coupon.save(update_fields=["flag"])
