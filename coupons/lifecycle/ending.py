"""The other two ends of a coupon's life: it is taken back, or its time runs out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from coupons import counting
from coupons.choices import CouponStatus, EventKind
from coupons.errors import Reason, Refused
from coupons.lifecycle.core import PORTAL, note_all
from coupons.models import IssuedCoupon
from coupons.signals import coupons_expired, coupons_revoked


@transaction.atomic
def revoke(coupon: IssuedCoupon, *, reason: str, actor: str) -> None:
    """Take a locked coupon back: at once here, behind it at dfire. Gives back its place in stock and limits.

    A coupon that is revoked already stays as it is.

    Raises:
        Refused: it has been redeemed, or is being.
    """
    if coupon.status == CouponStatus.REDEEMED:
        raise Refused(Reason.REDEEMED)
    if coupon.status == CouponStatus.REDEEMING:
        raise Refused(Reason.REDEEMING)
    revoke_many([coupon], reason=reason, actor=actor)


@transaction.atomic
def revoke_many(coupons: Sequence[IssuedCoupon], *, reason: str, actor: str) -> list[IssuedCoupon]:
    """Take those of the locked coupons back that can be: all but what is redeemed, being redeemed or revoked already.

    Returns:
        Those that it took back.
    """
    able = [coupon for coupon in coupons if coupon.status in (CouponStatus.ISSUED, CouponStatus.EXPIRED)]
    if not able:
        return []
    counting.give_back(able)
    now = timezone.now()
    _end(able, CouponStatus.REVOKED, now)
    note_all(able, EventKind.REVOKED, actor, {"reason": reason})
    coupons_revoked.send(IssuedCoupon, coupons=able)
    return able


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
    _end(due, CouponStatus.EXPIRED, now)
    counting.free_money(due)
    note_all(due, EventKind.EXPIRED, PORTAL)
    if due:
        coupons_expired.send(IssuedCoupon, coupons=due)
    return len(due)


def _end(coupons: Sequence[IssuedCoupon], status: CouponStatus, now: datetime) -> None:
    for coupon in coupons:
        coupon.status, coupon.ended_at = status, now
    IssuedCoupon.objects.filter(pk__in=[coupon.pk for coupon in coupons]).update(status=status, ended_at=now)
