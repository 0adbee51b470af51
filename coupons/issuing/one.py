"""Giving one coupon to one customer.

The template's row is locked by the very statement that takes from its stock: from there to the commit no one else
issues of the same template, which makes the limits per person exact.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from coupons import counting
from coupons.choices import EventKind, TemplateStatus
from coupons.codes import new_code
from coupons.errors import Reason, Refused
from coupons.issuing.common import CODE_TRIES, NO_RANDOMNESS, Through, new_coupon, not_open, used_up, validity
from coupons.issuing.limits import at_limit
from coupons.models import CouponEvent, CouponTemplate, IssuedCoupon, TemplateVersion
from coupons.signals import coupon_issued
from merchants.clock import local_day
from merchants.models import Customer


@transaction.atomic
def issue(
    *,
    template: CouponTemplate,
    customer: Customer,
    through: Through,
    valid_until: datetime | None = None,
) -> IssuedCoupon:
    """Give one coupon to a customer of the template's merchant.

    Args:
        valid_until: the last second of validity where the giver says so (aware); else the terms say.

    Raises:
        Refused: not published, over, out of stock or budget, a limit reached, an end that has passed, or a customer
            who was erased.
    """
    # The customer's row is locked against a binding that commits unseen in between (see `merchants.customers`).
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk, merchant_id=template.merchant_id)
    if customer.erased_at is not None:
        raise Refused(Reason.CUSTOMER_ERASED)
    now = timezone.now()
    version = _take_from_stock(template, now)
    _check_person(template, customer, now)
    valid = validity(version.terms, now, valid_until)
    coupon = insert(new_coupon(version, template, customer, through, now=now, validity=valid))
    CouponEvent.objects.create(coupon=coupon, at=coupon.issued_at, kind=EventKind.ISSUED, actor=through.actor)
    coupon_issued.send(IssuedCoupon, version=version, coupon=coupon)
    return coupon


def insert(coupon: IssuedCoupon) -> IssuedCoupon:
    """Insert the coupon under a fresh code; a collision, however unlikely, draws another.

    Only for what gives coupons out by rules of its own (`lifecycle.reissue`): it checks and counts nothing.
    """
    for _ in range(CODE_TRIES):
        coupon.code = new_code()
        try:
            with transaction.atomic():
                coupon.save(force_insert=True)
        except IntegrityError as error:
            if not IssuedCoupon.objects.filter(code=coupon.code).exists():
                raise error
            continue
        return coupon
    raise RuntimeError(NO_RANDOMNESS)


def _take_from_stock(template: CouponTemplate, now: datetime) -> TemplateVersion:
    """Take one from stock and budget, which locks the template, and return the version in force.

    Reads the limits into `template` as they stand under the lock.
    """
    taken = CouponTemplate.objects.filter(
        counting.has_room(1),
        pk=template.pk,
        status=TemplateStatus.PUBLISHED,
        end_date__gte=local_day(now),
    ).update(**counting.taken(1))
    template.refresh_from_db()
    if not taken:
        raise Refused(not_open(template, now) or used_up(template) or Reason.OUT_OF_BUDGET)
    return template.versions.latest("number")


def _check_person(template: CouponTemplate, customer: Customer, now: datetime) -> None:
    """Hold the limits per customer."""
    if reason := at_limit(template, [customer.pk], now).get(customer.pk):
        raise Refused(reason)
