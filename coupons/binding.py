"""The coupons that wait for a customer's binding, and how many of them a binding has let go."""

from collections.abc import Iterable, Sequence

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon


def waiting_for(customer_ids: Iterable[int]) -> list[int]:
    """The coupons that wait for a binding of these customers."""
    waits = IssuedCoupon.objects.filter(delivery=Delivery.WAITING, status=CouponStatus.ISSUED)
    return list(waits.filter(customer__in=list(customer_ids)).order_by("pk").values_list("pk", flat=True))


def released_of(coupon_ids: Sequence[int]) -> int:
    """How many of these coupons, which waited, do not wait any more."""
    return IssuedCoupon.objects.filter(pk__in=coupon_ids).exclude(delivery=Delivery.WAITING).count()
