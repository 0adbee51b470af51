"""What a partner is told, frozen at the moment of the event, and for whom: one delivery for each address that wants it.

Coupons and templates read exactly as in the answers of the partner API. What is asked of the database does not grow
with the number of coupons, and without an address that wants the event nothing is asked about them at all.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.models.partners import WebhookEvent
from integrations.models.webhooks import TEST_EVENT
from integrations.outbox import doorbell
from integrations.partner_api.shapes import coupon_shape, template_shape, time_shape

SEND_TASK = "integrations.tasks.send_webhooks"
KEPT_WHILE_OFF = timedelta(days=3)  # what happens later than that after an address was switched off is not written
_AT_ONCE = 1000
_SHARED = ("merchant", "template", "version")

# Locked as a foreign key would lock it: who deletes an address meanwhile waits, instead of undoing our transaction.
_WANTING = """
SELECT endpoint.id, theirs.merchant_id
FROM integrations_webhookendpoint AS endpoint
JOIN integrations_partnerapp_merchants AS theirs ON theirs.partnerapp_id = endpoint.app_id
LEFT JOIN integrations_webhooklane AS lane ON lane.endpoint_id = endpoint.id
WHERE theirs.merchant_id = ANY(%s) AND endpoint.events @> %s::jsonb
      AND (lane.off_at IS NULL OR lane.off_at > %s)
ORDER BY endpoint.id
FOR KEY SHARE OF endpoint
"""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a delivery is about."""

    merchant_id: int
    data: dict[str, Any]
    coupon_id: int | None = None
    template_id: int | None = None


def tell_coupons(event: WebhookEvent, coupons: Sequence[IssuedCoupon]) -> None:
    """Write deliveries for these coupons, as they stand in the database now. In the transaction of the event."""
    wanting = _wanting(event, {coupon.merchant_id for coupon in coupons})
    _tell(event, [coupon.pk for coupon in coupons if coupon.merchant_id in wanting], wanting)


def tell_coupons_of(merchant_id: int, event: WebhookEvent, coupon_ids: Sequence[int]) -> None:
    """The same for many coupons of one merchant, given by their ids."""
    if wanting := _wanting(event, {merchant_id}):
        _tell(event, coupon_ids, wanting)


def _tell(event: WebhookEvent, chosen: Sequence[int], wanting: dict[int, list[int]]) -> None:
    now = timezone.now()
    for start in range(0, len(chosen), _AT_ONCE):
        rows = IssuedCoupon.objects.filter(pk__in=chosen[start : start + _AT_ONCE]).order_by("pk")
        if len(chosen) == 1:
            rows = rows.select_related("customer", *_SHARED)
        else:  # a batch shares them: each is read once
            rows = rows.select_related("customer").prefetch_related(*_SHARED)
        told = [_Told(row.merchant_id, coupon_shape(row, now), coupon_id=row.pk) for row in rows]
        _write(event, told, wanting, now)


def tell_template(event: WebhookEvent, template: CouponTemplate) -> None:
    """Write deliveries for this template. In the transaction of the event."""
    wanting = _wanting(event, {template.merchant_id})
    if wanting:
        _write(event, [_Told(template.merchant_id, template_shape(template), template_id=template.pk)], wanting)


def new_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Store a test event for one address. It is sent once, at once, by whoever asked for it."""
    now = timezone.now()
    data = {"message": "This is a test of the coupon portal."}
    return WebhookDelivery.objects.create(
        endpoint=endpoint, event=TEST_EVENT, payload=_body(TEST_EVENT, now, data), available_at=now, give_up_at=now,
        created_at=now,
    )  # fmt: skip


def _wanting(event: WebhookEvent, merchants: Iterable[int]) -> dict[int, list[int]]:
    """By merchant: the addresses that are told of the event."""
    wanting: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        long_ago = timezone.now() - KEPT_WHILE_OFF
        cursor.execute(_WANTING, [list(merchants), json.dumps([event.value]), long_ago])
        for endpoint_id, merchant_id in cursor.fetchall():
            wanting[merchant_id].append(endpoint_id)
    return dict(wanting)


def _write(
    event: WebhookEvent, told: Iterable[_Told], wanting: dict[int, list[int]], now: datetime | None = None
) -> None:
    now = now or timezone.now()
    give_up_at = now + timedelta(hours=settings.WEBHOOK_RETRY_HOURS)
    rows = []
    for one in told:
        payload = _body(event.value, now, one.data)
        rows += [
            WebhookDelivery(
                endpoint_id=endpoint_id, merchant_id=one.merchant_id, event=event, coupon_id=one.coupon_id,
                template_id=one.template_id, payload=payload, available_at=now, give_up_at=give_up_at, created_at=now,
            )
            for endpoint_id in wanting[one.merchant_id]
        ]  # fmt: skip
    WebhookDelivery.objects.bulk_create(rows, batch_size=_AT_ONCE)
    transaction.on_commit(lambda: doorbell.ring(SEND_TASK), robust=True)


def _body(event: str, now: datetime, data: dict[str, Any]) -> str:
    said = {"type": event, "timestamp": time_shape(now), "data": data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
