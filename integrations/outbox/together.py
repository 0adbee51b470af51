"""Settling what went as it should for many rows in one transaction, with about as many statements as for one.

Only the plain case is settled so: sent, answered with success, under a lease that is still held, of a kind whose handler
knows how. Everything else, and everything when one of them meets a fault, is settled one by one (`settling`).
"""

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from coupons import lifecycle
from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import Phase
from integrations.outbox import pace, settling
from integrations.outbox.calling import Outcome
from integrations.outbox.claiming import Job
from integrations.outbox.handlers import Sent, handler_for, handler_of
from merchants.updating import update_each

Finished = tuple[Job, Outcome]


def is_plain(job: Job, outcome: Outcome) -> bool:
    """Whether a result may be settled together with others."""
    return (
        outcome.well
        and outcome.exchange is not None
        and job.phase == Phase.SEND
        and job.coupon_id is not None
        and handler_for(job.kind).settles_together
    )


def settle_together(finished: Sequence[Finished]) -> list[Finished]:
    """Write down the plain results of these calls.

    Returns:
        Those that have to be settled one by one: their lease is not held any more.
    """
    with transaction.atomic():
        rows = _locked([job for job, _ in finished])
        held = [(job, outcome, rows[job.row_id]) for job, outcome in finished if job.row_id in rows]
        attempts = [settling.closed_attempt(job, outcome, keeps=row.blanked_at is None) for job, outcome, row in held]
        settling.save_attempts(attempts)
        for (_, _, row), attempt in zip(held, attempts, strict=True):
            settling.take_in(row, attempt)
            row.tries = 0
        _answered(held)
        sent: defaultdict[str, list[Sent]] = defaultdict(list)
        for job, outcome, row in held:
            sent[row.kind].append(Sent(row, outcome.value, job.call.identity))
        for kind, of_kind in sent.items():
            handler_for(kind).all_sent(of_kind)
        _save([row for _, _, row in held])
        for _, _, row in held:
            handler_of(row).ends(row)
    for (job, _, row), attempt in zip(held, attempts, strict=True):
        with bound_contextvars(**job.ids()):
            settling.tell(job, attempt, becomes=row.state)
    return [(job, outcome) for job, outcome in finished if job.row_id not in rows]


def _locked(jobs: Sequence[Job]) -> dict[int, OutboxRow]:
    """The rows whose lease is still held, locked after their coupons."""
    coupons: dict[int, IssuedCoupon] = {
        coupon.pk: coupon for coupon in lifecycle.lock(job.coupon_id for job in jobs if job.coupon_id is not None)
    }
    tokens = {job.row_id: job.token for job in jobs}
    locking = OutboxRow.objects.select_for_update(no_key=True).filter(pk__in=tokens).order_by("pk")
    rows = {row.pk: row for row in locking if row.lease_token == tokens[row.pk]}
    accounts = {job.row_id: job.account for job in jobs}
    for row in rows.values():
        row.coupon, row.account = coupons[row.coupon_id or 0], accounts[row.pk]
    return rows


def _answered(held: Sequence[tuple[Job, Outcome, OutboxRow]]) -> None:
    latest = {job.account.pk: job.start_at for job, _, _ in sorted(held, key=lambda one: one[0].start_at)}
    for account_id, asked_at in latest.items():
        pace.answered(account_id, asked_at, timezone.now())


def _save(rows: Sequence[OutboxRow]) -> None:
    columns = {name: [getattr(row, name) for row in rows] for name in settling.SAVED}
    update_each(OutboxRow, [row.pk for row in rows], columns)
