"""The life of an issued coupon: the only writer of its status and its delivery.

Every function here does the same five things in one transaction: lock, check, write, note the event, send the signal.
Functions that take a locked coupon expect it from `lock`. Locks are taken in the order customer, coupon, template,
outbox row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from coupons.choices import CouponStatus, Delivery, EventKind, Source
from coupons.errors import Reason, Refused
from coupons.models import CouponEvent, CouponTemplate, IssuedCoupon
from coupons.signals import coupons_expired, coupons_redeemed, coupons_revoked, delivery_wanted
from merchants.models import Shop

DFIRE = "dfire"
PORTAL = "portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Under whom dfire holds a coupon, and until when it says that it does (aware)."""

    appid: str
    openid: str
    mobile: str
    valid_until: datetime | None = None


class TillOutcome(models.TextChoices):
    """What a redemption at the till did here."""

    REDEEMED = "redeemed"
    REPEATED = "repeated"


def lock(coupon_ids: Iterable[int]) -> list[IssuedCoupon]:
    """The coupons, locked in the order of their ids until the transaction ends."""
    return list(IssuedCoupon.objects.select_for_update(no_key=True).filter(pk__in=list(coupon_ids)).order_by("pk"))


def has_expired(coupon: IssuedCoupon, now: datetime) -> bool:
    """Whether its last second is over. Takes effect on reading; the event follows (`expire_due`)."""
    return now >= coupon.valid_until + timedelta(seconds=1)


def status_now(coupon: IssuedCoupon, now: datetime | None = None) -> CouponStatus:
    """The status as anyone outside should see it: an issued coupon whose end has passed reads as expired."""
    if coupon.status == CouponStatus.ISSUED and has_expired(coupon, now or timezone.now()):
        return CouponStatus.EXPIRED
    return CouponStatus(coupon.status)


@transaction.atomic
def redeem_at_till(
    coupon: IssuedCoupon, *, at: datetime, shop: Shop | None = None, details: dict[str, Any] | None = None
) -> TillOutcome:
    """Take note that a till has redeemed a locked coupon. A genuine one always wins; the first stays.

    A redemption of a revoked or expired coupon counts too, because the discount has been given: it is flagged. One
    whose end had passed at that moment has expired, whether or not the clock has come by already.

    Args:
        at: when (aware), by dfire's clock.
    """
    if coupon.status == CouponStatus.REDEEMED:
        return TillOutcome.REPEATED
    before = status_now(coupon, at)
    coupon.status = CouponStatus.REDEEMED
    coupon.redeemed_at = at
    coupon.redeemed_through = Source.TILL
    coupon.redeemed_shop = shop
    fields = ["status", "redeemed_at", "redeemed_through", "redeemed_shop"]
    if before in (CouponStatus.REVOKED, CouponStatus.EXPIRED):
        coupon.flag = f"redeemed_when_{before}"
        fields.append("flag")
    if before == CouponStatus.REVOKED:
        _take_back_into_count(coupon)
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


@transaction.atomic
def revoke(coupon: IssuedCoupon, *, reason: str, actor: str) -> None:
    """Take a locked coupon back: at once here, behind it at dfire. Gives back its place in stock and limits.

    A coupon that is revoked already stays as it is.

    Raises:
        Refused: it has been redeemed, or is being.
    """
    if coupon.status == CouponStatus.REVOKED:
        return
    if coupon.status == CouponStatus.REDEEMED:
        raise Refused(Reason.REDEEMED)
    if coupon.status == CouponStatus.REDEEMING:
        raise Refused(Reason.REDEEMING)
    coupon.status = CouponStatus.REVOKED
    coupon.ended_at = timezone.now()
    coupon.save(update_fields=["status", "ended_at"])
    CouponTemplate.objects.filter(pk=coupon.template_id).update(issued_count=F("issued_count") - 1)
    note(coupon, EventKind.REVOKED, actor, {"reason": reason})
    coupons_revoked.send(IssuedCoupon, coupons=[coupon])


@transaction.atomic
def expire_due(limit: int = 1000) -> int:
    """Expire issued coupons whose end has passed, at most so many, passing over those that someone holds a lock on.

    Returns:
        How many.
    """
    now = timezone.now()
    due = list(
        IssuedCoupon.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(status=CouponStatus.ISSUED, valid_until__lte=now - timedelta(seconds=1))
        .order_by("valid_until")[:limit]
    )
    for coupon in due:
        coupon.status = CouponStatus.EXPIRED
        coupon.ended_at = now
    IssuedCoupon.objects.bulk_update(due, ["status", "ended_at"])
    note_all(due, EventKind.EXPIRED, PORTAL)
    if due:
        coupons_expired.send(IssuedCoupon, coupons=due)
    return len(due)


def mark_delivered(coupon: IssuedCoupon, holding: Holding, *, details: dict[str, Any] | None = None) -> None:
    """dfire said that it holds the locked coupon, or was seen to."""
    coupon.delivered_appid = holding.appid
    coupon.delivered_openid = holding.openid
    coupon.delivered_mobile = holding.mobile
    coupon.dfire_valid_until = holding.valid_until
    fields = ["delivered_appid", "delivered_openid", "delivered_mobile", "dfire_valid_until"]
    news = coupon.delivery != Delivery.DELIVERED
    if news:
        coupon.delivery = Delivery.DELIVERED
        coupon.delivered_at = timezone.now()
        fields += ["delivery", "delivered_at"]
    coupon.save(update_fields=fields)
    if news:
        note(coupon, EventKind.DELIVERED, DFIRE, details)


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


@transaction.atomic
def resend(coupon: IssuedCoupon) -> None:
    """Try again to bring a coupon to dfire that has not got there.

    Raises:
        Refused: it is not a coupon that can still be delivered.
    """
    refusal = {
        CouponStatus.REDEEMED: Reason.REDEEMED,
        CouponStatus.REVOKED: Reason.REVOKED,
        CouponStatus.EXPIRED: Reason.EXPIRED,
    }.get(status_now(coupon))
    if refusal:
        raise Refused(refusal)
    delivery_wanted.send(IssuedCoupon, coupon=coupon)


def flag(coupon: IssuedCoupon, what: str) -> None:
    """Put a locked coupon before staff."""
    coupon.flag = what
    coupon.save(update_fields=["flag"])
    note(coupon, EventKind.FLAGGED, PORTAL, {"flag": what})


def note(coupon: IssuedCoupon, kind: EventKind, actor: str, details: dict[str, Any] | None = None) -> None:
    """Append to the coupon's history."""
    note_all([coupon], kind, actor, details)


def note_all(
    coupons: Sequence[IssuedCoupon], kind: EventKind, actor: str, details: dict[str, Any] | None = None
) -> None:
    """Append the same event to the history of each coupon."""
    now = timezone.now()
    CouponEvent.objects.bulk_create(
        CouponEvent(coupon=coupon, at=now, kind=kind, actor=actor, data=details or {}) for coupon in coupons
    )


def _take_back_into_count(coupon: IssuedCoupon) -> None:
    """A revoked coupon that was redeemed counts again, unless its place in the stock has gone to another."""
    CouponTemplate.objects.filter(Q(stock=None) | Q(issued_count__lt=F("stock")), pk=coupon.template_id).update(
        issued_count=F("issued_count") + 1
    )
