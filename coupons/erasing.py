"""What erasing a customer means for their coupons: those that can still be used are revoked, all stay in the figures.

Each coupon is taken in a transaction of its own, so that an erasure of many holds no locks for long and goes on where
it was left.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import TRANSFERS, CouponStatus
from coupons.errors import Refused
from coupons.models import CouponEvent, IssuedCoupon
from merchants import erasing
from merchants.models import Customer, Erasure

REASON = "customer_erased"  # a key; pages say it in words


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many coupons a customer has: usable, being redeemed this moment, and used or over."""

    usable: int
    redeeming: int
    over: int


def erase(customer: Customer, *, reason: str, asked_by: str) -> tuple[Erasure, bool]:
    """Forget the customer's names and revoke what can still be used; the rest follows by the clock, when dfire has let
    go of the coupons. Call it outside of a transaction.

    Returns:
        The erasure, and whether it is new: a second request finds the first.
    """
    erasure, fresh = erasing.ask(customer, reason=reason, asked_by=asked_by)
    take_back(erasure)
    return erasure, fresh


def holdings(customer: Customer) -> Holdings:
    """The customer's coupons by what an erasure does to them."""
    usable = Q(status=CouponStatus.ISSUED, valid_until__gt=_last_seconds_over())
    redeeming = Q(status=CouponStatus.REDEEMING)
    counts = IssuedCoupon.objects.filter(customer=customer).aggregate(
        usable=Count("pk", filter=usable), redeeming=Count("pk", filter=redeeming), all=Count("pk")
    )
    return Holdings(counts["usable"], counts["redeeming"], counts["all"] - counts["usable"] - counts["redeeming"])


def take_back(erasure: Erasure, most: int = 500) -> int:
    """Revoke the customer's usable coupons, at most so many now; what is over already expires instead.

    One that is being redeemed is left until it is settled.

    Returns:
        How many were revoked.
    """
    live = IssuedCoupon.objects.filter(customer=erasure.customer_id, status=CouponStatus.ISSUED)
    if live.filter(valid_until__lte=_last_seconds_over()).exists():
        lifecycle.expire_due()
    ids = list(live.filter(valid_until__gt=_last_seconds_over()).order_by("pk").values_list("pk", flat=True)[:most])
    return sum(_revoke(pk, actor=erasure.asked_by) for pk in ids)


def passed_on(customer_id: int) -> QuerySet[IssuedCoupon]:
    """Coupons of other customers that this one has given on, or was to be given."""
    party = Q(data__contains={"from": customer_id}) | Q(data__contains={"to": customer_id})
    told = CouponEvent.objects.filter(party, kind__in=TRANSFERS).order_by()
    return IssuedCoupon.objects.filter(pk__in=told.values("coupon")).exclude(customer=customer_id)


def forget_holder(coupon: IssuedCoupon) -> None:
    """Take off a locked coupon under whom dfire held it. The holding must be over: nothing can be asked or withdrawn
    there any more."""
    coupon.delivered_openid = coupon.delivered_mobile = ""
    coupon.save(update_fields=["delivered_openid", "delivered_mobile"])


@transaction.atomic
def _revoke(coupon_id: int, *, actor: str) -> bool:
    coupon = lifecycle.lock([coupon_id])[0]
    try:
        lifecycle.revoke(coupon, reason=REASON, actor=actor)
    except Refused:
        return False
    return True


def _last_seconds_over() -> datetime:
    """A coupon whose last second began before this has expired (`lifecycle.has_expired`)."""
    return timezone.now() - timedelta(seconds=1)
