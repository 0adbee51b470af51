"""What every step of a coupon's life stands on: the lock, the status as of now, the note in the history."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone

from coupons.choices import CouponStatus, EventKind
from coupons.models import CouponEvent, IssuedCoupon
from merchants.inserting import insert_like

DFIRE = "dfire"
PORTAL = "portal"


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
    if not details:
        insert_like(CouponEvent(at=now, kind=kind, actor=actor), {"coupon_id": [coupon.pk for coupon in coupons]})
        return
    if len(coupons) > 1:  # their holders' names are looked for in what was written
        prefetch_related_objects(coupons, "customer")
    CouponEvent.objects.bulk_create(
        CouponEvent(coupon=coupon, at=now, kind=kind, actor=actor, data=details) for coupon in coupons
    )
