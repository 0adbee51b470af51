"""Redemption, by its two doors. What a till tells us has happened already, so it always counts, once, and the first
stays. What a partner's application asks for is `redeeming` until dfire has said yes or no: meanwhile nobody can spend
the coupon, take it back or give it on, and it does not expire.
"""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from coupons import counting
from coupons.choices import CouponStatus, Delivery, EventKind, Source
from coupons.errors import Reason, Refused
from coupons.lifecycle.core import DFIRE, PORTAL, note, status_now
from coupons.lifecycle.delivering import OVER
from coupons.models import IssuedCoupon
from coupons.signals import coupons_redeemed
from merchants.models import Shop

DECIDED_OTHERWISE = "redeemed_after_decision"  # the flag of one that staff had called not redeemed


class TillOutcome(models.TextChoices):
    """What a redemption at the till did here."""

    REDEEMED = "redeemed"
    REPEATED = "repeated"


@transaction.atomic
def redeem_at_till(
    coupon: IssuedCoupon,
    *,
    at: datetime,
    shop: Shop | None = None,
    saved_fen: int | None = None,
    paid_fen: int | None = None,
    details: dict[str, Any] | None = None,
) -> TillOutcome:
    """Take note that a till has redeemed a locked coupon. A genuine one always wins; the first stays.

    A redemption of a revoked or expired coupon counts too, because the discount has been given: it is flagged. One
    whose end had passed at that moment has expired, whether or not the clock has come by already.

    Args:
        at: when (aware), by dfire's clock.
        saved_fen, paid_fen: what the coupon took off and what was paid, in fen; None where nobody says (a till's
            callback carries no amounts, seed 003 §9).
    """
    if coupon.status == CouponStatus.REDEEMED:
        return TillOutcome.REPEATED
    before = status_now(coupon, at)
    late = f"redeemed_when_{before}" if before in (CouponStatus.REVOKED, CouponStatus.EXPIRED) else ""
    coupon.redeemed_at, coupon.redeemed_through, coupon.redeemed_shop = at, Source.TILL, shop
    coupon.saved_fen, coupon.paid_fen = saved_fen, paid_fen
    _redeem(coupon, actor=DFIRE, before=before, flag=late, details=details)
    return TillOutcome.REDEEMED


def tell_shop(coupon: IssuedCoupon, shop: Shop) -> None:
    """Where a till redeemed a locked coupon, which nobody has said yet. Nothing else of the redemption changes."""
    if coupon.redeemed_through == Source.TILL and coupon.redeemed_shop_id is None:
        coupon.redeemed_shop = shop
        coupon.save(update_fields=["redeemed_shop"])


@transaction.atomic
def begin_redeeming(coupon: IssuedCoupon, *, actor: str, details: dict[str, Any]) -> None:
    """A partner's order begins to spend a locked coupon; whoever calls has asked the rules about shop, bill and time.

    Raises:
        Refused: it is over, being redeemed already, or has not reached dfire.
    """
    if coupon.status == CouponStatus.REDEEMING:
        raise Refused(Reason.REDEEMING)
    if refusal := OVER.get(status_now(coupon)):
        raise Refused(refusal)
    if coupon.delivery != Delivery.DELIVERED:
        raise Refused(Reason.NOT_DELIVERED)
    coupon.status = CouponStatus.REDEEMING
    coupon.save(update_fields=["status"])
    note(coupon, EventKind.REDEEMING, actor, details)


@transaction.atomic
def finish_redeeming(
    coupon: IssuedCoupon,
    *,
    actor: str,
    at: datetime,
    shop: Shop | None,
    saved_fen: int,
    paid_fen: int,
    details: dict[str, Any] | None = None,
) -> None:
    """The locked coupon has been spent at dfire on a partner's order.

    Where staff had decided meanwhile that it was not, it counts all the same and is put before them. A coupon that is
    redeemed already stays as it is.
    """
    if coupon.status == CouponStatus.REDEEMED:
        return
    before = status_now(coupon, at)
    flag = "" if before == CouponStatus.REDEEMING else DECIDED_OTHERWISE
    coupon.redeemed_at, coupon.redeemed_through, coupon.redeemed_shop = at, Source.API, shop
    coupon.saved_fen, coupon.paid_fen = saved_fen, paid_fen
    _redeem(coupon, actor=actor, before=before, flag=flag, details=details)


@transaction.atomic
def stop_redeeming(coupon: IssuedCoupon, *, actor: str, details: dict[str, Any]) -> None:
    """The locked coupon was not spent on the order after all, and can be used again. Its end counts from here on."""
    if coupon.status != CouponStatus.REDEEMING:
        return
    coupon.status = CouponStatus.ISSUED
    coupon.save(update_fields=["status"])
    note(coupon, EventKind.NOT_REDEEMED, actor, details)


def _redeem(
    coupon: IssuedCoupon, *, actor: str, before: CouponStatus, flag: str, details: dict[str, Any] | None
) -> None:
    """Write what both doors write. `before` is the status at the moment of the redemption."""
    was, coupon.status = coupon.status, CouponStatus.REDEEMED
    fields = ["status", "redeemed_at", "redeemed_through", "redeemed_shop", "saved_fen", "paid_fen"]
    if flag:
        coupon.flag = flag
        fields.append("flag")
    # What has expired by the clock alone has not been counted out yet.
    if was in (CouponStatus.REVOKED, CouponStatus.EXPIRED):
        counting.take_back(coupon, place=was == CouponStatus.REVOKED)
    if coupon.delivery != Delivery.DELIVERED:  # nobody could have redeemed what dfire does not hold
        coupon.delivery = Delivery.DELIVERED
        coupon.delivered_at = timezone.now()
        fields += ["delivery", "delivered_at"]
    coupon.save(update_fields=fields)
    through = {"through": str(coupon.redeemed_through), "was": before.value}
    note(coupon, EventKind.REDEEMED, actor, {**through, **(details or {})})
    if coupon.flag:
        note(coupon, EventKind.FLAGGED, PORTAL, {"flag": coupon.flag})
    coupons_redeemed.send(IssuedCoupon, coupons=[coupon])
