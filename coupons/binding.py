"""Applying a checked binding file, slice by slice, and saying how many coupons went out for it.

Here and not in `merchants`, because a slice locks what it will let go: customers first, then their coupons, each in the
order of ids, as whoever else locks several does. Otherwise two files, or a file and a transfer, could wait for each
other for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError, connection, transaction

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from merchants import customers
from merchants.bindings import Entry, Planned, Verdict, Why, plan
from merchants.customers import CustomerErased, OpenidTaken
from merchants.models import Customer, Merchant

SLICE = 200  # rows that are applied in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of a slice: the customers entered and changed, how many rows said nothing new, what was not done,
    and how many deliveries were let go."""

    created: list[Customer]
    changed: list[Planned]
    equal: int
    refused: list[Planned]
    released: int


@transaction.atomic
def apply(merchant: Merchant, entries: Sequence[Entry], *, adds_unknown: bool) -> Applied:
    """Bind the customers of these rows, all in one transaction: after a crash each slice is there whole or not at all.

    Applying the same again changes nothing. A row that has become wrong meanwhile is refused by itself.
    """
    _one_file_at_a_time(merchant)
    created = _enter_new(merchant, plan(merchant, entries, adds_unknown=adds_unknown))
    _lock_customers(merchant, entries, adds_unknown=adds_unknown)
    now = plan(merchant, entries, adds_unknown=False)
    wanted = [one for one in now if one.verdict == Verdict.CHANGE]
    waiting = _lock_what_goes_out(one.customer.pk for one in wanted if one.customer)
    changed, refused = [], [one for one in now if one.verdict == Verdict.BAD]
    for one in sorted(wanted, key=lambda planned: planned.customer.pk if planned.customer else 0):
        if why := _bind(one):
            refused.append(replace(one, verdict=Verdict.BAD, why=why))
        else:
            changed.append(one)
    return Applied(
        created=list(created.values()),
        changed=[one for one in changed if one.customer and one.customer.pk not in created],
        equal=sum(one.verdict == Verdict.EQUAL and one.customer.pk not in created for one in now if one.customer),
        refused=refused,
        released=released_of(waiting),
    )


def waiting_for(customer_ids: Iterable[int]) -> list[int]:
    """The coupons that wait for a binding of these customers."""
    waits = IssuedCoupon.objects.filter(delivery=Delivery.WAITING, status=CouponStatus.ISSUED)
    return list(waits.filter(customer__in=list(customer_ids)).order_by("pk").values_list("pk", flat=True))


def released_of(coupon_ids: Sequence[int]) -> int:
    """How many of these coupons, which waited, do not wait any more."""
    return IssuedCoupon.objects.filter(pk__in=coupon_ids).exclude(delivery=Delivery.WAITING).count()


def _one_file_at_a_time(merchant: Merchant) -> None:
    """Slices of one merchant go one after another: two that gave the same openids would wait for each other's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"binding by file {merchant.pk}"])


def _enter_new(merchant: Merchant, planned: list[Planned]) -> dict[int, Customer]:
    """Those who are not known yet, entered under their names, in the order of these; bound with the others."""
    names = sorted(one.entry.name for one in planned if one.verdict == Verdict.NEW)
    found = (customers.find_or_create(merchant, name) for name in names)
    return {customer.pk: customer for customer in found}


def _lock_customers(merchant: Merchant, entries: Sequence[Entry], *, adds_unknown: bool) -> None:
    planned = plan(merchant, entries, adds_unknown=adds_unknown)
    ids = {one.customer.pk for one in planned if one.verdict == Verdict.CHANGE and one.customer}
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))


def _lock_what_goes_out(customer_ids: Iterable[int]) -> list[int]:
    """Lock the coupons on their way to these customers; returns those of them that wait for a binding."""
    under_way = IssuedCoupon.objects.filter(
        customer__in=list(customer_ids), delivery__in=[Delivery.WAITING, Delivery.QUEUED]
    )
    locked = lifecycle.lock(under_way.values_list("pk", flat=True))
    return [coupon.pk for coupon in locked if coupon.delivery == Delivery.WAITING]


def _bind(one: Planned) -> Why | None:
    """Through the one door for customers; what another has taken in the same moment is told, not raised."""
    assert one.customer is not None  # noqa: S101  (only rows about known customers are changes)
    try:
        customers.bind(one.customer, openid=one.entry.openid or None, mobile=one.entry.mobile or None)
    except (OpenidTaken, IntegrityError):
        return Why.OPENID_TAKEN
    except CustomerErased:
        return Why.WAS_ERASED
    return None
