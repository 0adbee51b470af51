"""Letting go what waited: for a customer's openid or mobile, for a merchant's account or appid."""

from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import Delivery
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import doorbell
from merchants.models import Customer, Merchant

_BATCH = 200

_LACKS_NOTHING = """
SELECT o.id, o.coupon_id
FROM integrations_outboxrow AS o
JOIN merchants_merchant AS merchant ON merchant.id = o.merchant_id
LEFT JOIN coupons_issuedcoupon AS coupon ON coupon.id = o.coupon_id
LEFT JOIN merchants_customer AS customer ON customer.id = coupon.customer_id
WHERE o.state = 'waiting'
  AND merchant.dfire_account_id IS NOT NULL
  AND (o.kind NOT IN ('save_promotion', 'deliver', 'transfer') OR merchant.appid <> '')
  AND (o.kind NOT IN ('deliver', 'transfer') OR (customer.openid <> '' AND customer.mobile <> ''))
  {only}
ORDER BY o.id
LIMIT %(most)s
"""


def customer(bound: Customer) -> int:
    """Queue the coupons that waited for this customer and lack nothing now. Returns how many."""
    return customers([bound])


def customers(bound: Iterable[Customer]) -> int:
    """Queue the coupons that waited for any of these and lack nothing now. Returns how many."""
    ids = [one.pk for one in bound if one.openid and one.mobile]
    released = 0
    while ids and (batch := _release("AND coupon.customer_id = ANY(%(only)s)", ids)):
        released += batch
    return released


def merchant(connected: Merchant) -> int:
    """Queue what waited for this merchant: some at once, and the rest of a great many by the clock (`ready`).

    Returns:
        How many went at once.
    """
    return _release("AND o.merchant_id = %(only)s", connected.pk)


def ready() -> int:
    """Queue every waiting row that lacks nothing any more; what a lost moment left is found here. Returns how many."""
    released = 0
    while batch := _release("", None):
        released += batch
    return released


@transaction.atomic
def _release(only: str, chosen: int | list[int] | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_LACKS_NOTHING.format(only=only), {"only": chosen, "most": _BATCH})
        found: list[tuple[int, int | None]] = cursor.fetchall()
    coupons = lifecycle.lock([coupon_id for _, coupon_id in found if coupon_id is not None])
    waiting = OutboxRow.objects.select_for_update(no_key=True, of=("self",)).select_related("merchant")
    rows = list(waiting.filter(pk__in=[row_id for row_id, _ in found], state=RowState.WAITING).order_by("pk"))
    for row in rows:
        row.state = RowState.QUEUED
        row.account_id = row.merchant.dfire_account_id
        row.available_at = row.queued_at = timezone.now()
        row.last_message = ""
    OutboxRow.objects.bulk_update(rows, ["state", "account", "available_at", "queued_at", "last_message"])
    released = {row.coupon_id for row in rows}
    for coupon in coupons:
        if coupon.pk in released and coupon.delivery == Delivery.WAITING:
            lifecycle.mark_delivery(coupon, Delivery.QUEUED)
    if rows:
        transaction.on_commit(doorbell.ring, robust=True)
    return len(rows)
