"""Giving one coupon each to many customers, in one transaction and with a handful of statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from coupons import counting
from coupons.approvals.limits import rose
from coupons.codes import new_code
from coupons.errors import Reason, Refused
from coupons.issuing.common import CODE_TRIES, NO_RANDOMNESS, Through, finish, new_coupon, not_open, validity
from coupons.issuing.limits import at_limit
from coupons.models import Batch, CouponTemplate, IssuedCoupon
from merchants.models import Customer


@dataclass(slots=True)
class Given:
    """What came of it: how many got one, why each of the others did not, and whether the template stopped it.

    `refused` is by the customer's id. Where `stopped` says why, the customers after the last that is named in neither
    have not been looked at: `looked_at` counts those that were, in the order given.
    """

    coupons: list[IssuedCoupon] = field(default_factory=list)
    refused: dict[int, Reason] = field(default_factory=dict)
    stopped: Reason | None = None
    looked_at: int = 0


@transaction.atomic
def issue_many(
    *,
    template: CouponTemplate,
    customers: Sequence[Customer],
    through: Through,
    valid_until: datetime | None = None,
    batch: Batch | None = None,
    worth: dict[str, Any] | None = None,
) -> Given:
    """Give one coupon to each of these different customers of the template's merchant, in their order.

    A rule about one customer passes over that one. One about the template (paused, over, out of stock or budget, an
    end that has passed) stops, and leaves the customers from there on for another time.

    Args:
        valid_until: the last second of validity where the giver says so (aware); else the terms say.
        worth: what one coupon was worth when the giver said yes (`approvals.limits.worth_now`); a rise stops it.
    """
    given = Given()
    erased = _lock_customers(template, customers)
    template = CouponTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    now = timezone.now()
    given.stopped = not_open(template, now)
    if given.stopped is None and worth is not None and rose(worth, template):
        given.stopped = Reason.WORTH_ROSE
    if given.stopped is not None:
        return given
    version = template.versions.latest("number")
    try:
        valid = validity(version.terms, now, valid_until)
    except Refused as refused:
        given.stopped = refused.reason
        return given
    receiving = _choose(given, template, customers, erased, now)
    if not receiving:
        return given
    CouponTemplate.objects.filter(pk=template.pk).update(**counting.taken(len(receiving)))
    given.coupons = _insert_all(
        [
            new_coupon(version, template, customer, through, now=now, validity=valid, batch=batch)
            for customer in receiving
        ]
    )
    finish(version, given.coupons, through)
    return given


def _lock_customers(template: CouponTemplate, customers: Sequence[Customer]) -> set[int]:
    """Lock the customers, in the order of their ids, against bindings unseen in between; tells who is erased."""
    locked = (
        Customer.objects.select_for_update(no_key=True)
        .filter(pk__in=[customer.pk for customer in customers], merchant_id=template.merchant_id)
        .order_by("pk")
    )
    now_bound = {customer.pk: customer for customer in locked}
    for customer in customers:
        customer.openid, customer.mobile = now_bound[customer.pk].openid, now_bound[customer.pk].mobile
    return {pk for pk, customer in now_bound.items() if customer.erased_at is not None}


def _choose(
    given: Given, template: CouponTemplate, customers: Sequence[Customer], erased: set[int], now: datetime
) -> list[Customer]:
    """Those who get one: as many as stock and budget have room for, without whom a rule turns down."""
    full = at_limit(template, customers, now)
    stock = None if template.stock is None else template.stock - template.issued_count
    money = counting.room_in_budget(template)
    receiving: list[Customer] = []
    for customer in customers:
        reason = Reason.CUSTOMER_ERASED if customer.pk in erased else full.get(customer.pk)
        if reason is not None:
            given.refused[customer.pk] = reason
        elif stock is not None and len(receiving) >= stock:
            given.stopped = Reason.OUT_OF_STOCK
            break
        elif money is not None and len(receiving) >= money:
            given.stopped = Reason.OUT_OF_BUDGET
            break
        else:
            receiving.append(customer)
        given.looked_at += 1
    return receiving


def _insert_all(coupons: list[IssuedCoupon]) -> list[IssuedCoupon]:
    """Insert them under fresh codes; where one is taken, however unlikely, all draw others."""
    for _ in range(CODE_TRIES):
        codes = {new_code() for _coupon in coupons}
        while len(codes) < len(coupons):
            codes.add(new_code())
        for coupon, code in zip(coupons, codes, strict=True):
            coupon.code = code
        try:
            with transaction.atomic():
                return IssuedCoupon.objects.bulk_create(coupons)
        except IntegrityError as error:
            if not IssuedCoupon.objects.filter(code__in=codes).exists():
                raise error
    raise RuntimeError(NO_RANDOMNESS)
