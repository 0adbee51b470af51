"""Putting rows into the outbox, in the transaction that makes them true."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import doorbell
from merchants.models import Merchant

# Lower goes first: what a customer at the till waits for, then what others depend on, then the many.
PRIORITY = {
    RowKind.WITHDRAW: 1,
    RowKind.VERIFY: 1,
    RowKind.SAVE_PROMOTION: 3,
    RowKind.WITHDRAW_UNKNOWN: 4,
    RowKind.DELIVER: 5,
    RowKind.DELETE_PROMOTION: 7,
}
EXPIRY_PRIORITY = 4  # a withdrawal because of expiry: within a minute, but not before someone's revocation


def row_for(
    kind: RowKind,
    merchant: Merchant,
    *,
    template: CouponTemplate | None = None,
    version: TemplateVersion | None = None,
    coupon: IssuedCoupon | None = None,
    waits: bool = False,
    details: dict[str, Any] | None = None,
) -> OutboxRow:
    """A row that is not stored yet. Without a dfire account, or where `waits` says so, it waits instead of queueing."""
    connected = merchant.dfire_account_id is not None
    return OutboxRow(
        kind=kind,
        state=RowState.WAITING if waits or not connected else RowState.QUEUED,
        priority=PRIORITY[kind],
        account_id=merchant.dfire_account_id,
        merchant=merchant,
        template=template,
        version=version,
        coupon=coupon,
        details=details or {},
        available_at=timezone.now(),
    )


def put(rows: Iterable[OutboxRow]) -> list[OutboxRow]:
    """Store the rows, and ring once the transaction has committed. Call it inside the business transaction."""
    stored = OutboxRow.objects.bulk_create(rows)
    if stored:
        transaction.on_commit(doorbell.ring, robust=True)
    return stored
