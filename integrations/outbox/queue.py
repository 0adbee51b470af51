"""Putting rows into the outbox, in the transaction that makes them true."""

from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import doorbell
from merchants.inserting import insert_like
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
    origin, rows = _origin(), list(rows)
    for row in rows:
        row.origin = origin
    stored = OutboxRow.objects.bulk_create(rows)
    if stored:
        _ring_and_log(origin, [(row.pk, row.coupon_id, str(row.kind)) for row in stored])
    return stored


def put_like(example: OutboxRow, coupon_ids: Sequence[int]) -> None:
    """Store a row for each of the coupons that reads like `example`, in one statement; else as `put`."""
    example.origin = _origin()
    stored = insert_like(example, {"coupon_id": coupon_ids}, returning="id, coupon_id, kind")
    _ring_and_log(example.origin, stored)


def _origin() -> str:
    known = structlog.contextvars.get_contextvars()
    return str(known.get("request_id") or known.get("task_id") or "")


def _ring_and_log(origin: str, stored: Sequence[tuple[Any, ...]]) -> None:
    """`stored`: the id, the coupon and the kind of each row."""
    transaction.on_commit(doorbell.ring, robust=True)
    few = stored[:_ROWS_IN_A_LINE]
    if not origin:  # a command at a terminal, which says what it does in its own words
        return

    def log() -> None:
        logger.info(
            "outbox_rows_written",
            rows=len(stored),
            outbox_row_ids=[row_id for row_id, _, _ in few],
            coupon_ids=sorted({coupon_id for _, coupon_id, _ in few if coupon_id is not None}),
            kinds=sorted({kind for _, _, kind in few}),
        )

    transaction.on_commit(log, robust=True)
