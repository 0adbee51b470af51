"""Carrying batches out: slice by slice, each in one transaction with the batch's row locked.

The lock is the lease: a worker that dies lets go of it, and its slice has not happened. Two workers never work on one
batch at once, and a slice moves the batch's `position` in the transaction that gives out its coupons: nobody gets two,
nobody is passed over.
"""

import logging
from collections.abc import Callable
from itertools import islice

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from coupons import issuing, lifecycle
from coupons.batches.checking import check_slice
from coupons.batches.making import outstanding
from coupons.batches.problems import BROKEN, RowProblem
from coupons.batches.rows import Row, next_rows, write_back
from coupons.choices import BatchKind, BatchState, Source
from coupons.errors import Reason
from coupons.issuing import Through
from coupons.models import Batch
from merchants import customers
from merchants.inserting import array

logger = logging.getLogger(__name__)

SLICE = 2000
RECALL_SLICE = 500  # each is withdrawn, told and noted: the template stays locked meanwhile
_HAD = """
SELECT customer_id FROM coupons_issuedcoupon
WHERE template_id = %s AND customer_id = ANY(%s::bigint[]) AND batch_id = %s"""
_AT_WORK = (BatchState.CHECKING, BatchState.RUNNING)


def work_all(until: Callable[[], bool] = lambda: False) -> int:
    """Work every batch that is due, in turns, until none is, others hold what is left, or `until` says so.

    Returns:
        How many slices were worked.
    """
    slices = 0
    while ids := list(Batch.objects.filter(state__in=_AT_WORK).order_by("pk").values_list("pk", flat=True)):
        worked = sum(_work(batch_id) for batch_id in ids if not until())
        if not worked:
            break
        slices += worked
    return slices


def _work(batch_id: int) -> bool:
    """Work one slice. An error pauses the batch for staff; a database that is gone leaves it for the next sweep."""
    try:
        with transaction.atomic():
            batch = (
                Batch.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
                .select_related("template__merchant", "merchant", "created_by")
                .filter(pk=batch_id, state__in=_AT_WORK)
                .first()
            )
            if batch is None:
                return False
            if batch.state == BatchState.CHECKING:
                check_slice(batch)
            elif batch.kind == BatchKind.ISSUE:
                _issue_slice(batch)
            else:
                _recall_slice(batch)
            return True
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Batch %s stopped.", batch_id)
        _stop(batch_id)
        return True


@transaction.atomic
def _stop(batch_id: int) -> None:
    batch = Batch.objects.select_for_update(no_key=True).filter(pk=batch_id, state__in=_AT_WORK).first()
    if batch is not None:
        batch.state, batch.problem = BatchState.PAUSED, BROKEN
        batch.save(update_fields=["state", "problem"])


def _issue_slice(batch: Batch) -> None:
    rows = next_rows(batch, SLICE, problem="")
    if not rows:
        _finish(batch)
        return
    known = {row.number: row.customer_id for row in rows}
    receivers = _receivers(batch, rows)
    given = issuing.issue_many(
        template=batch.template,
        customers=list(receivers.values()),
        through=Through(source=Source.STAFF, actor=_actor(batch)),
        valid_until=batch.valid_until,
        batch=batch,
        worth=batch.summary.get("worth"),
    )
    # Rows up to the first that was not looked at are done with, those that were turned down among them too.
    left = next(islice(receivers, given.looked_at, None), None)
    behind = [row for row in rows if left is None or row.number < left]
    for row in behind:
        if row.customer_id in given.refused and not row.problem:
            row.problem = given.refused[row.customer_id]
    write_back(row for row in behind if row.problem or row.customer_id != known[row.number])
    batch.position = behind[-1].number if behind else batch.position
    batch.done += len(given.issued)
    batch.refused += sum(bool(row.problem) for row in behind)
    if given.stopped:
        batch.state, batch.problem = BatchState.PAUSED, given.stopped
    batch.save(update_fields=["position", "done", "refused", "state", "problem"])


def _receivers(batch: Batch, rows: list[Row]) -> dict[int, int]:
    """To which customer each row gives one, by the row's number, in the order of the file.

    New customers are made; a row whose customer has been given one already is marked.
    """
    named = customers.find_named(batch.merchant, {row.text for row in rows if row.text})
    named |= customers.create_named(batch.merchant, [name for name, found in named.items() if not found])
    seen = _had(batch, [customer for found in named.values() for customer in found])
    receivers: dict[int, int] = {}
    for row in rows:
        if not row.text:  # what was typed has gone with its customer
            row.problem = Reason.CUSTOMER_ERASED
            continue
        found = named[row.text]
        if len(found) > 1:
            row.problem = RowProblem.SEVERAL
        elif found[0] in seen:  # two rows have become one customer since the check
            row.problem = RowProblem.TWICE
        else:
            row.customer_id = receivers[row.number] = found[0]
            seen.add(found[0])
    return receivers


def _had(batch: Batch, customer_ids: list[int]) -> set[int]:
    """Who of the customers has a coupon of this batch."""
    with connection.cursor() as cursor:
        cursor.execute(_HAD, [batch.template_id, array(customer_ids), batch.pk])
        return {customer_id for (customer_id,) in cursor.fetchall()}


def _recall_slice(batch: Batch) -> None:
    out = outstanding(template=batch.template, batch=batch.recalls)
    within = out.filter(pk__gt=batch.position, pk__lte=batch.summary["last"])
    ids = list(within.order_by("pk").values_list("pk", flat=True)[:RECALL_SLICE])
    if not ids:
        _finish(batch)
        return
    locked = lifecycle.lock(ids)
    taken = lifecycle.revoke_many(locked, reason=batch.reason, actor=_actor(batch))
    batch.position = ids[-1]
    batch.done += len(taken)
    batch.refused += len(ids) - len(taken)
    batch.save(update_fields=["position", "done", "refused"])


def _finish(batch: Batch) -> None:
    batch.state, batch.finished_at = BatchState.DONE, timezone.now()
    batch.save(update_fields=["state", "finished_at"])


def _actor(batch: Batch) -> str:
    return f"staff:{batch.created_by.get_username()}" if batch.created_by else "portal"
