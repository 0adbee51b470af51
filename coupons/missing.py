"""A delivered coupon that dfire does not hold any more: it is on its way again.

The only way back from delivered, and only on dfire's own evidence; `coupons.lifecycle` otherwise never takes a delivery
back.
"""

from typing import Any

from coupons.choices import Delivery, EventKind
from coupons.lifecycle import PORTAL, note
from coupons.models import IssuedCoupon


def mark_missing(coupon: IssuedCoupon, *, details: dict[str, Any]) -> None:
    """Put a locked delivered coupon back among those to be delivered. Under whom it was held stays on it as evidence.

    One that is not delivered stays as it is.
    """
    if coupon.delivery != Delivery.DELIVERED:
        return
    coupon.delivery = Delivery.QUEUED
    coupon.save(update_fields=["delivery"])
    note(coupon, EventKind.QUEUED, PORTAL, details)
