"""What staff do with rows that failed: try again after mending the cause, or give up.

Each row is taken by itself, its coupon locked first, as everywhere; a row that a worker holds is left to the worker.
"""

import time
from collections.abc import Callable, Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import Delivery
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowKind, RowState
from integrations.outbox import doorbell
from integrations.outbox.evidence import may_have_happened
from integrations.outbox.handlers import handler_of

RETRIABLE = (RowState.DEAD, RowState.CANCELLED)
_CARRYING = (RowKind.DELIVER, RowKind.TRANSFER)
_TOGETHER = 100  # rows that are retried in one transaction


def retry(rows: Iterable[OutboxRow]) -> int:
    """Queue failed and cancelled rows again, as if for the first time. What dfire may have done already is asked first.

    Returns:
        How many; the others were in another state, too old to say what was told, or another row is doing the same.
    """
    return sum(_one(row, _requeue) for row in rows)


def retry_all(
    rows: QuerySet[OutboxRow], *, seconds: float, told: Callable[[int, int], object] | None = None
) -> tuple[int, int]:
    """Queue all of these rows again as `retry` does, a hundred in a transaction, for about so many seconds.

    Args:
        told: is called in each of these transactions with what is returned, as far as it has come.

    Returns:
        How many were queued, and how many the time was too short for.
    """
    end = time.monotonic() + seconds
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    done = 0
    for start in range(0, len(ids), _TOGETHER):
        if time.monotonic() > end:
            return done, len(ids) - start
        taken = ids[start : start + _TOGETHER]
        with transaction.atomic():
            done += _together(taken)
            if told is not None:
                told(done, len(ids) - start - len(taken))
    return done, 0


def _together(ids: list[int]) -> int:
    """Coupons first and then rows, each in the order of their ids, as everywhere."""
    about = OutboxRow.objects.filter(pk__in=ids, coupon__isnull=False)
    lifecycle.lock(about.values_list("coupon_id", flat=True))
    return sum(_requeue(row) for row in _locked().filter(pk__in=ids).order_by("pk"))


def cancel(rows: Iterable[OutboxRow]) -> int:
    """Give failed rows up: they are not tried again and do not stand among the failed ones.

    A coupon that was on its way by one is shown as not delivered, unless another row carries it.

    Returns:
        How many; the others were in another state.
    """
    return sum(_one(row, _give_up) for row in rows)


@transaction.atomic
def _one(row: OutboxRow, change: Callable[[OutboxRow], bool]) -> bool:
    if row.coupon_id is not None:
        lifecycle.lock([row.coupon_id])
    return change(_locked().get(pk=row.pk))


def _locked() -> QuerySet[OutboxRow]:
    return OutboxRow.objects.select_for_update(of=("self",), no_key=True).select_related("account", "merchant")


def _requeue(row: OutboxRow) -> bool:
    if row.state not in RETRIABLE or row.blanked_at is not None or _another_does_it(row):
        return False
    if row.account is None:
        row.account = row.merchant.dfire_account
    row.state = RowState.QUEUED if row.account is not None else RowState.WAITING
    row.phase = Phase.ASK if _may_have_happened(row) else Phase.SEND
    row.details = {key: value for key, value in row.details.items() if key not in ("refused", "duplicate")}
    row.tries = row.absences = row.lost_leases = 0
    row.held = False
    row.available_at = row.queued_at = timezone.now()
    row.settled_at = None
    row.save(
        update_fields=[
            "account", "state", "phase", "details", "tries", "absences", "lost_leases", "held", "available_at",
            "queued_at",
            "settled_at",
        ]
    )  # fmt: skip
    if row.kind in _CARRYING and row.coupon is not None:
        lifecycle.mark_delivery(row.coupon, Delivery.QUEUED)
    transaction.on_commit(doorbell.ring, robust=True)
    return True


def _give_up(row: OutboxRow) -> bool:
    if row.state != RowState.DEAD:
        return False
    row.state = RowState.CANCELLED
    row.settled_at = timezone.now()
    row.save(update_fields=["state", "settled_at"])
    if row.kind in _CARRYING and row.coupon is not None and not _is_carried(row.coupon_id):
        said = {"code": row.last_code, "message": row.last_message}
        lifecycle.mark_delivery(row.coupon, Delivery.FAILED, details=said)
    return True


def _is_carried(coupon_id: int | None) -> bool:
    return OutboxRow.objects.filter(coupon_id=coupon_id, kind__in=_CARRYING, state__in=UNSETTLED).exists()


def _another_does_it(row: OutboxRow) -> bool:
    """Whether another row of the same kind for the same coupon is on its way."""
    if row.coupon_id is None:
        return False
    return OutboxRow.objects.filter(coupon_id=row.coupon_id, kind=row.kind, state__in=UNSETTLED).exists()


def _may_have_happened(row: OutboxRow) -> bool:
    """Whether something was sent and dfire did not say no to it: then it is asked before it is sent again."""
    if not handler_of(row).asks_when_uncertain:
        return False
    return may_have_happened(OutboxAttempt.objects.filter(row=row)).exists()
