"""Putting rows into the outbox, in the transaction that makes them true."""

from collections.abc import Iterable
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import doorbell
from merchants.models import Merchant

logger = structlog.get_logger(__name__)

_ROWS_IN_A_LINE = 20  # of a bulk issue the first ones; all of them have its id as their origin
# Lower goes first: what a customer at the till waits for, then what others depend on, then the many.
PRIORITY = {
    RowKind.WITHDRAW: 1,
    RowKind.TRANSFER: 2,
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
    """Store the rows, and ring once the transaction has committed. Call it inside the business transaction.

    Each row keeps the id of the request or task that wrote it, so that the logs lead from the one to the other.
    """
    known = structlog.contextvars.get_contextvars()
    origin = str(known.get("request_id") or known.get("task_id") or "")
    rows = list(rows)
    for row in rows:
        row.origin = origin
    stored = OutboxRow.objects.bulk_create(rows)
    if stored:
        transaction.on_commit(doorbell.ring, robust=True)
        if origin:  # else a command at a terminal, which says what it does in its own words
            transaction.on_commit(lambda: _log(stored), robust=True)
    return stored


def _log(rows: list[OutboxRow]) -> None:
    few = rows[:_ROWS_IN_A_LINE]
    logger.info(
        "outbox_rows_written",
        rows=len(rows),
        outbox_row_ids=[row.pk for row in few],
        coupon_ids=sorted({row.coupon_id for row in few if row.coupon_id is not None}),
        kinds=sorted({str(row.kind) for row in few}),
    )
