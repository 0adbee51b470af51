"""A coupon changes hands: the holder shown changes at once, dfire follows, and what it refuses is undone."""

from typing import Any

from django.db import transaction

from coupons.choices import CouponStatus, Delivery, EventKind
from coupons.errors import Reason, Refused
from coupons.lifecycle.core import DFIRE, note, status_now
from coupons.lifecycle.delivering import OVER, Holding, record_holding
from coupons.models import IssuedCoupon
from coupons.signals import coupon_transferred, transfer_undone
from merchants.models import Customer

NOBODY = Holding(appid="", openid="", mobile="")


@transaction.atomic
def transfer(coupon: IssuedCoupon, to: Customer, *, actor: str) -> None:
    """Give a locked coupon to another (locked) customer of its merchant. To its present holder: nothing happens.

    Limits are about issuing: a coupon that is given on counts for whom it was issued under.

    Raises:
        Refused: it cannot be spent any more or is being spent, or the customer is another merchant's or erased.
    """
    if to.merchant_id != coupon.merchant_id:
        raise Refused(Reason.OTHER_MERCHANT)
    if to.erased_at is not None:
        raise Refused(Reason.CUSTOMER_ERASED)
    if coupon.status == CouponStatus.REDEEMING:
        raise Refused(Reason.REDEEMING)
    if refusal := OVER.get(status_now(coupon)):
        raise Refused(refusal)
    giver = coupon.customer
    if giver == to:
        return
    coupon.customer = to
    coupon.delivery = Delivery.QUEUED
    coupon.save(update_fields=["customer", "delivery"])
    note(coupon, EventKind.TRANSFERRED, actor, {"from": giver.pk, "to": to.pk})
    coupon_transferred.send(IssuedCoupon, coupon=coupon, giver=giver)


def mark_taken(coupon: IssuedCoupon) -> None:
    """dfire holds the locked coupon no more: taken from its giver, and not with its receiver yet."""
    record_holding(coupon, NOBODY)
    note(coupon, EventKind.WITHDRAWN, DFIRE, {"for": "transfer"})


def undo_transfer(coupon: IssuedCoupon, giver: Customer, *, flag: str, details: dict[str, Any] | None = None) -> None:
    """The locked coupon stays its giver's, or is so again: dfire refused its receiver, or a till was faster."""
    receiver = coupon.customer
    if receiver == giver:
        return
    coupon.customer = giver
    coupon.flag = flag
    coupon.save(update_fields=["customer", "flag"])
    data = {"from": receiver.pk, "to": giver.pk, "why": flag, **(details or {})}
    note(coupon, EventKind.TRANSFER_FAILED, DFIRE, data)
    transfer_undone.send(IssuedCoupon, coupon=coupon)
