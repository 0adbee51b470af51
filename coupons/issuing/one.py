"""Giving one coupon to one customer.

The customer's row is locked, then the template's: from there to the commit no one else issues of the same template,
which makes stock, budget and the limits per person exact. Written is only once every rule has said yes.
"""

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from coupons import counting
from coupons.choices import EventKind
from coupons.codes import new_code
from coupons.errors import Reason, Refused
from coupons.issuing.common import (
    CODE_TRIES,
    NO_RANDOMNESS,
    Through,
    in_transaction,
    new_coupon,
    not_open,
    used_up,
    validity,
)
from coupons.issuing.limits import at_limit
from coupons.models import CouponEvent, CouponTemplate, IssuedCoupon
from coupons.signals import coupon_issued
from merchants.inserting import insert_like
from merchants.models import Customer


def issue(
    *,
    template: CouponTemplate,
    customer: Customer,
    through: Through,
    valid_until: datetime | None = None,
    customer_is_locked: bool = False,
) -> IssuedCoupon:
    """Give one coupon to a customer of the template's merchant.

    Args:
        valid_until: the last second of validity where the giver says so (aware); else the terms say.
        customer_is_locked: the caller has read the customer under a lock, in this transaction.

    Raises:
        Refused: not published, over, out of stock or budget, a limit reached, an end that has passed, or a customer
            who was erased. Nothing has been written.
    """
    with in_transaction():
        # The customer's row is locked against a binding that commits unseen in between (see `merchants.customers`).
        if not customer_is_locked:
            own = Customer.objects.filter(merchant_id=template.merchant_id)
            customer = own.select_for_update(no_key=True).get(pk=customer.pk)
        if customer.erased_at is not None:
            raise Refused(Reason.CUSTOMER_ERASED)
        locked = _lock(template)
        now = timezone.now()
        if reason := not_open(locked, now) or used_up(locked) or at_limit(locked, [customer.pk], now).get(customer.pk):
            raise Refused(reason)
        version = locked.versions.latest("number")
        version.template = locked
        valid = validity(version.terms, now, valid_until)
        coupon = insert(new_coupon(version, locked, customer, through, now=now, validity=valid))
        counting.take(locked, 1)
        insert_like(CouponEvent(at=now, kind=EventKind.ISSUED, actor=through.actor), {"coupon_id": [coupon.pk]})
        coupon_issued.send(IssuedCoupon, version=version, coupon=coupon)
        return coupon


def insert(coupon: IssuedCoupon) -> IssuedCoupon:
    """Insert the coupon under a fresh code; a collision, however unlikely, draws another.

    Only for what gives coupons out by rules of its own (`lifecycle.reissue`): it checks and counts nothing.
    """
    for _ in range(CODE_TRIES):
        coupon.code = new_code()
        for (made,) in insert_like(coupon, {"code": [coupon.code]}, unless="code"):
            coupon.pk, coupon._state.adding, coupon._state.db = made, False, DEFAULT_DB_ALIAS
            return coupon
    raise RuntimeError(NO_RANDOMNESS)


def _lock(template: CouponTemplate) -> CouponTemplate:
    """The template as it stands under its lock, which is held to the commit."""
    lockable = CouponTemplate.objects.select_related("merchant").select_for_update(of=("self",), no_key=True)
    return lockable.get(pk=template.pk)
