"""How far a coupon is on its way into its holder's list at dfire, and under whom dfire holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from coupons.choices import CouponStatus, Delivery, EventKind
from coupons.errors import Reason, Refused
from coupons.lifecycle.core import DFIRE, PORTAL, note, note_all, status_now
from coupons.models import CouponEvent, IssuedCoupon
from coupons.signals import coupons_delivered, delivery_wanted
from merchants.inserting import insert_like
from merchants.updating import update_each

OVER = {
    CouponStatus.REDEEMED: Reason.REDEEMED,
    CouponStatus.REVOKED: Reason.REVOKED,
    CouponStatus.EXPIRED: Reason.EXPIRED,
}
_HOLDING = ["delivered_appid", "delivered_openid", "delivered_mobile", "dfire_valid_until"]
_ARRIVED = [*_HOLDING, "delivery", "delivered_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Under whom dfire holds a coupon, and until when it says that it does (aware)."""

    appid: str
    openid: str
    mobile: str
    valid_until: datetime | None = None


def record_holding(coupon: IssuedCoupon, holding: Holding) -> None:
    """dfire holds the locked coupon under this identity; how far its delivery is, is for another to say."""
    _hold(coupon, holding)
    coupon.save(update_fields=_HOLDING)


def mark_delivered(coupon: IssuedCoupon, holding: Holding, *, details: dict[str, Any] | None = None) -> None:
    """dfire said that it holds the locked coupon for its holder, or was seen to."""
    mark_all_delivered([(coupon, holding)], details=details)


def mark_all_delivered(
    arrived: Sequence[tuple[IssuedCoupon, Holding]], *, details: dict[str, Any] | None = None
) -> None:
    """The same of many locked coupons, in as many statements as of one."""
    new = [coupon for coupon, _ in arrived if coupon.delivery != Delivery.DELIVERED]
    now = timezone.now()
    for coupon, holding in arrived:
        _hold(coupon, holding)
    for coupon in new:
        coupon.delivery, coupon.delivered_at = Delivery.DELIVERED, now
    told = {name: [getattr(coupon, name) for coupon, _ in arrived] for name in _ARRIVED}
    update_each(IssuedCoupon, [coupon.pk for coupon, _ in arrived], told)
    if new:
        note_all(new, EventKind.DELIVERED, DFIRE, details)
        coupons_delivered.send(IssuedCoupon, coupons=new)


def _hold(coupon: IssuedCoupon, holding: Holding) -> None:
    coupon.delivered_appid = holding.appid
    coupon.delivered_openid = holding.openid
    coupon.delivered_mobile = holding.mobile
    coupon.dfire_valid_until = holding.valid_until


def mark_delivery(coupon: IssuedCoupon, delivery: Delivery, *, details: dict[str, Any] | None = None) -> None:
    """The locked coupon is queued, waiting or failed on its way; a delivered one stays delivered."""
    if coupon.delivery in (Delivery.DELIVERED, delivery):
        return
    coupon.delivery = delivery
    coupon.save(update_fields=["delivery"])
    kind = {
        Delivery.QUEUED: EventKind.QUEUED,
        Delivery.WAITING: EventKind.WAITING,
        Delivery.FAILED: EventKind.DELIVERY_FAILED,
    }[delivery]
    note(coupon, kind, PORTAL, details)


def mark_all_waiting(coupon_ids: Sequence[int], *, missing: str) -> None:
    """Coupons that have just been issued wait, all for the same thing (a key of those who deliver)."""
    IssuedCoupon.objects.filter(pk__in=coupon_ids).update(delivery=Delivery.WAITING)
    event = CouponEvent(at=timezone.now(), kind=EventKind.WAITING, actor=PORTAL, data={"missing": missing})
    insert_like(event, {"coupon_id": coupon_ids})


def mark_missing(coupon: IssuedCoupon, *, details: dict[str, Any]) -> None:
    """Put a locked delivered coupon that dfire does not hold any more back among those to be delivered.

    Under whom it was held stays on it as evidence. One that is not delivered stays as it is.
    """
    if coupon.delivery != Delivery.DELIVERED:
        return
    coupon.delivery = Delivery.QUEUED
    coupon.save(update_fields=["delivery"])
    note(coupon, EventKind.QUEUED, PORTAL, details)


@transaction.atomic
def resend(coupon: IssuedCoupon) -> None:
    """Try again to bring a locked coupon to dfire that has not got there.

    Raises:
        Refused: it is not a coupon that can still be delivered.
    """
    if refusal := OVER.get(status_now(coupon)):
        raise Refused(refusal)
    delivery_wanted.send(IssuedCoupon, coupon=coupon)
