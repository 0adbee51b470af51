"""Letting go what waited: for a customer's openid or mobile, for a merchant's account or appid."""

from django.db import connection, transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import Delivery
from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import doorbell
from merchants.models import Customer, Merchant

_READY = """
UPDATE integrations_outboxrow AS row
SET state = 'queued', account_id = merchant.dfire_account_id, available_at = %(now)s
FROM merchants_merchant AS merchant
WHERE row.merchant_id = merchant.id AND row.state = 'waiting'
  AND merchant.dfire_account_id IS NOT NULL AND merchant.appid <> ''
  AND (%(merchant)s::bigint IS NULL OR merchant.id = %(merchant)s)
  AND (row.coupon_id IS NULL OR EXISTS (
    SELECT 1 FROM coupons_issuedcoupon AS coupon
    JOIN merchants_customer AS customer ON customer.id = coupon.customer_id
    WHERE coupon.id = row.coupon_id AND customer.openid <> '' AND customer.mobile <> ''))
"""


@transaction.atomic
def customer(bound: Customer) -> None:
    """Queue the coupons that waited for this customer."""
    if not (bound.openid and bound.mobile):
        return
    waiting = IssuedCoupon.objects.filter(customer=bound, delivery=Delivery.WAITING).values_list(
        "pk", flat=True
    )
    coupons = lifecycle.lock(waiting)
    rows = OutboxRow.objects.filter(coupon__in=coupons, state=RowState.WAITING, account__isnull=False)
    if rows.update(state=RowState.QUEUED, available_at=timezone.now()):
        for coupon in coupons:
            lifecycle.mark_delivery(coupon, Delivery.QUEUED)
        transaction.on_commit(doorbell.ring, robust=True)


def merchant(connected: Merchant) -> int:
    """Queue whatever of this merchant waited and lacks nothing now."""
    return ready(connected.pk)


@transaction.atomic
def ready(merchant_pk: int | None = None) -> int:
    """Queue every waiting row that lacks nothing any more; what a lost moment left is found here.

    Returns:
        How many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_READY, {"now": timezone.now(), "merchant": merchant_pk})
        count = int(cursor.rowcount)
    if count:
        transaction.on_commit(doorbell.ring, robust=True)
    return count
