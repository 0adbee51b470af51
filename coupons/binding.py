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
    planned = plan(merchant, entries, adds_unknown=adds_unknown)
    entered = {one.entry.name for one in planned if one.verdict == Verdict.NEW}
    customers.enter_many(merchant, entered)
    _lock(_changed_by(plan(merchant, entries, adds_unknown=False)))
    now = plan(merchant, entries, adds_unknown=False)
    wanted = _changed_by(now)
    waiting = _lock_what_goes_out(wanted)
    taken = _bind(wanted)
    changed = [one for one in now if one.verdict == Verdict.CHANGE and one.entry.number not in taken]
    refused = [one for one in now if one.verdict == Verdict.BAD]
    refused += [replace(one, verdict=Verdict.BAD, why=taken[row]) for one in now if (row := one.entry.number) in taken]
    known = {one.customer for one in now if one.customer is not None}
    created = {customer for customer in known if customer.identifier in entered}
    return Applied(
        created=list(created),
        changed=[one for one in changed if one.customer not in created],
        equal=sum(one.verdict == Verdict.EQUAL and one.customer not in created for one in now),
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


def _changed_by(planned: Iterable[Planned]) -> dict[int, list[Planned]]:
    """The rows that change someone, by whom; two rows may complete each other."""
    rows: dict[int, list[Planned]] = {}
    for one in planned:
        if one.verdict == Verdict.CHANGE and one.customer is not None:
            rows.setdefault(one.customer.pk, []).append(one)
    return rows


def _lock(customer_ids: Iterable[int]) -> None:
    locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=list(customer_ids)).order_by("pk")
    list(locked.values_list("pk"))


def _lock_what_goes_out(customer_ids: Iterable[int]) -> list[int]:
    """Lock the coupons on their way to these customers; returns those of them that wait for a binding."""
    under_way = IssuedCoupon.objects.filter(
        customer__in=list(customer_ids), delivery__in=[Delivery.WAITING, Delivery.QUEUED]
    )
    locked = lifecycle.lock(under_way.values_list("pk", flat=True))
    return [coupon.pk for coupon in locked if coupon.delivery == Delivery.WAITING]


def _bind(wanted: dict[int, list[Planned]]) -> dict[int, Why]:
    """Through the one door for customers, all at once; only where someone else was faster one by one.

    Returns:
        The numbers of the rows that were not done, and why.
    """
    values = {
        pk: {name: getattr(one.entry, name) for one in rows for name in one.changes} for pk, rows in wanted.items()
    }
    try:
        customers.bind_many(values)
    except (OpenidTaken, CustomerErased):
        return {
            one.entry.number: why for pk, rows in wanted.items() if (why := _bind_one(pk, values[pk])) for one in rows
        }
    return {}


def _bind_one(pk: int, values: dict[str, str]) -> Why | None:
    try:
        customers.bind(Customer.objects.get(pk=pk), **values)
    except (OpenidTaken, IntegrityError):
        return Why.OPENID_TAKEN
    except CustomerErased:
        return Why.WAS_ERASED
    return None
