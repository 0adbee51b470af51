"""Redemption: what a till tells us has happened already, so it always counts, once, and the first stays."""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from coupons import counting
from coupons.choices import CouponStatus, Delivery, EventKind, Source
from coupons.lifecycle.core import DFIRE, PORTAL, note, status_now
from coupons.models import IssuedCoupon
from coupons.signals import coupons_redeemed
from merchants.models import Shop


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
    was, before = coupon.status, status_now(coupon, at)
    coupon.status = CouponStatus.REDEEMED
    coupon.redeemed_at = at
    coupon.redeemed_through = Source.TILL
    coupon.redeemed_shop = shop
    coupon.saved_fen, coupon.paid_fen = saved_fen, paid_fen
    fields = ["status", "redeemed_at", "redeemed_through", "redeemed_shop", "saved_fen", "paid_fen"]
    if before in (CouponStatus.REVOKED, CouponStatus.EXPIRED):
        coupon.flag = f"redeemed_when_{before}"
        fields.append("flag")
    # What has expired by the clock alone has not been counted out yet.
    if before == CouponStatus.REVOKED or was == CouponStatus.EXPIRED:
        counting.take_back(coupon, place=before == CouponStatus.REVOKED)
    if coupon.delivery != Delivery.DELIVERED:  # the till could not have redeemed what dfire does not hold
        coupon.delivery = Delivery.DELIVERED
        coupon.delivered_at = timezone.now()
        fields += ["delivery", "delivered_at"]
    coupon.save(update_fields=fields)
    note(
        coupon,
        EventKind.REDEEMED,
        DFIRE,
        {"through": Source.TILL.value, "was": before.value, **(details or {})},
    )
    if coupon.flag:
        note(coupon, EventKind.FLAGGED, PORTAL, {"flag": coupon.flag})
    coupons_redeemed.send(IssuedCoupon, coupons=[coupon])
    return TillOutcome.REDEEMED
