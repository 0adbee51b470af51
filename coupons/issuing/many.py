"""Giving one coupon each to many customers, in one transaction and with a handful of statements, however many they are.

No instance of a model is made for a coupon: that alone would take longer than PostgreSQL takes for its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from coupons import counting
from coupons.approvals.limits import rose
from coupons.choices import EventKind
from coupons.codes import new_codes
from coupons.errors import Reason, Refused
from coupons.issuing.common import CODE_TRIES, NO_RANDOMNESS, Through, in_transaction, new_coupon, not_open, validity
from coupons.issuing.limits import at_limit
from coupons.models import Batch, CouponEvent, CouponTemplate, IssuedCoupon
from coupons.signals import coupons_issued
from merchants.inserting import array, insert_like

# Locked in the order of their ids, against bindings unseen in between (see `merchants.customers`).
_LOCK = """
SELECT id, openid, mobile, erased_at IS NOT NULL FROM merchants_customer
WHERE id = ANY(%s::bigint[]) AND merchant_id = %s ORDER BY id FOR NO KEY UPDATE
"""


class Issued(NamedTuple):
    """A coupon that has just been given, and what its customer was bound to at that moment (locked to the commit)."""

    coupon_id: int
    code: str
    customer_id: int
    openid: str
    mobile: str


@dataclass(slots=True)
class Given:
    """What came of it: how many got one, why each of the others did not, and whether the template stopped it.

    `refused` is by the customer's id. Where `stopped` says why, the customers after the last that is named in neither
    have not been looked at: `looked_at` counts those that were, in the order given.
    """

    issued: list[Issued] = field(default_factory=list)
    refused: dict[int, Reason] = field(default_factory=dict)
    stopped: Reason | None = None
    looked_at: int = 0


def issue_many(
    *,
    template: CouponTemplate,
    customers: Sequence[int],
    through: Through,
    valid_until: datetime | None = None,
    batch: Batch | None = None,
    worth: dict[str, Any] | None = None,
) -> Given:
    """Give one coupon to each of these different customers of the template's merchant, in their order.

    A rule about one customer passes over that one. One about the template (paused, over, out of stock or budget, an
    end that has passed) stops, and leaves the customers from there on for another time.

    Args:
        customers: their ids.
        valid_until: the last second of validity where the giver says so (aware); else the terms say.
        worth: what a coupon promised when the giver said yes (`approvals.states.state_of`); more of it stops it.
    """
    given = Given()
    with in_transaction():
        _issue(given, template, customers, through, valid_until, batch, worth)
    return given


def _issue(
    given: Given,
    template: CouponTemplate,
    customers: Sequence[int],
    through: Through,
    valid_until: datetime | None,
    batch: Batch | None,
    worth: dict[str, Any] | None,
) -> None:
    bound = _lock(template, customers)
    template = CouponTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    now = timezone.now()
    given.stopped = not_open(template, now)
    if given.stopped is None and worth is not None and rose(worth, template):
        given.stopped = Reason.WORTH_ROSE
    if given.stopped is not None:
        return
    version = template.versions.latest("number")
    try:
        valid = validity(version.terms, now, valid_until)
    except Refused as refused:
        given.stopped = refused.reason
        return
    receiving = _choose(given, template, customers, bound, now)
    if not receiving:
        return
    counting.take(template, len(receiving))
    example = new_coupon(version, template, None, through, now=now, validity=valid, batch=batch)
    given.issued = [Issued(pk, code, owner, *bound[owner]) for pk, code, owner in _insert(example, receiving)]
    event = CouponEvent(at=now, kind=EventKind.ISSUED, actor=through.actor)
    insert_like(event, {"coupon_id": [one.coupon_id for one in given.issued]})
    coupons_issued.send(IssuedCoupon, version=version, issued=given.issued)


def _lock(template: CouponTemplate, customers: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Lock the customers and tell their openid and mobile; who was erased is not among them."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [array(customers), template.merchant_id])
        return {pk: (openid, mobile) for pk, openid, mobile, erased in cursor.fetchall() if not erased}


def _choose(
    given: Given,
    template: CouponTemplate,
    customers: Sequence[int],
    bound: dict[int, tuple[str, str]],
    now: datetime,
) -> list[int]:
    """Those who get one: as many as stock and budget have room for, without whom a rule turns down."""
    full = at_limit(template, customers, now)
    stock = None if template.stock is None else template.stock - template.issued_count
    money = counting.room_in_budget(template)
    receiving: list[int] = []
    for customer in customers:
        reason = full.get(customer) if customer in bound else Reason.CUSTOMER_ERASED
        if reason is not None:
            given.refused[customer] = reason
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


def _insert(example: IssuedCoupon, customers: list[int]) -> list[tuple[int, str, int]]:
    """Insert one for each under a fresh code; where one is taken, however unlikely, its customer gets another."""
    made: list[tuple[int, str, int]] = []
    without = customers
    for _ in range(CODE_TRIES):
        columns: dict[str, list[Any]] = {"code": new_codes(len(without)), "customer_id": without}
        made += insert_like(example, columns, unless="code", returning="id, code, customer_id")
        if len(made) == len(customers):
            return sorted(made)
        received = {customer for _pk, _code, customer in made}
        without = [customer for customer in without if customer not in received]
    raise RuntimeError(NO_RANDOMNESS)
