"""Taking rows out of the outbox, for one account at a time, under a lease.

One statement picks: due rows, none that an earlier unsettled row of the same coupon or template holds back, urgent
kinds first, merchants in turn. What comes out is a job whose attempt is committed before any socket opens.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import pace
from integrations.outbox.handlers import Broken, Call, Drop, Wait, plan
from merchants.models import DfireAccount

_PICK = """
SELECT picked.id
FROM merchants_merchant AS merchant
CROSS JOIN LATERAL (
    SELECT o.id, o.priority, row_number() OVER (ORDER BY o.priority, o.id) AS turn
    FROM integrations_outboxrow AS o
    LEFT JOIN coupons_templateversion AS version ON version.id = o.version_id
    WHERE o.merchant_id = merchant.id
      AND o.account_id = %(account)s
      AND o.state = 'queued'
      AND o.available_at <= %(now)s
      AND (o.kind <> 'deliver' OR version.saved_at IS NOT NULL)
      AND NOT EXISTS (
        SELECT 1 FROM integrations_outboxrow AS earlier
        WHERE earlier.coupon_id = o.coupon_id AND earlier.id < o.id
          AND earlier.state IN ('queued', 'waiting', 'sending'))
      AND NOT EXISTS (
        SELECT 1 FROM integrations_outboxrow AS earlier
        WHERE earlier.template_id = o.template_id AND earlier.coupon_id IS NULL AND earlier.id < o.id
          AND earlier.state IN ('queued', 'waiting', 'sending')
          AND (o.coupon_id IS NULL OR o.kind = 'deliver'))
    ORDER BY o.priority, o.id
    LIMIT %(most)s
) AS picked
ORDER BY picked.priority, picked.turn, picked.id
LIMIT %(most)s
"""

_DUE_ACCOUNTS = """
SELECT account.id FROM merchants_dfireaccount AS account
WHERE EXISTS (
    SELECT 1 FROM integrations_outboxrow AS o
    WHERE o.account_id = account.id AND o.state = 'queued' AND o.available_at <= %(now)s)
ORDER BY account.id
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One call to make: the row and the lease it runs under, its attempt, and not before when."""

    row_id: int
    coupon_id: int | None
    token: uuid.UUID
    attempt_id: int
    call: Call
    account: DfireAccount
    start_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A row that needs no call: it waits or falls away."""

    row_id: int
    coupon_id: int | None
    verdict: Wait | Drop | Broken


def due_accounts() -> list[int]:
    """The accounts that have queued rows whose time has come."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_ACCOUNTS, {"now": timezone.now()})
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def claim(account_id: int, most: int) -> tuple[list[Job], list[Standing]]:
    """Lease up to `most` rows of an account, as far as its limits allow."""
    now = timezone.now()
    state = pace.lock_state(account_id)
    allowed = pace.allowance(state, most, now)
    if not allowed.count:
        return [], []
    rows = _lock(_pick(account_id, allowed.count, now))
    jobs: list[Job] = []
    standing: list[Standing] = []
    for row in rows:
        next_step = plan(row)
        if isinstance(next_step, Call):
            start_at = allowed.first_at + allowed.interval * len(jobs)
            jobs.append(_lease(row, next_step, state.account, start_at, now))
        else:
            standing.append(Standing(row.pk, row.coupon_id, next_step))
    if jobs:
        pace.spend(state, allowed, len(jobs), now)
    return jobs, standing


def _pick(account_id: int, most: int, now: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_PICK, {"account": account_id, "now": now, "most": most})
        return [row[0] for row in cursor.fetchall()]


def _lock(ids: list[int]) -> list[OutboxRow]:
    """The picked rows that nobody else holds and that are still queued, in the order of the pick."""
    rows = (
        OutboxRow.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("account", "merchant", "version", "coupon__customer", "coupon__version")
        .filter(pk__in=ids, state=RowState.QUEUED)
    )
    return sorted(rows, key=lambda row: ids.index(row.pk))


def _lease(row: OutboxRow, call: Call, account: DfireAccount, start_at: datetime, now: datetime) -> Job:
    token = uuid.uuid4()
    row.state = RowState.SENDING
    row.lease_token = token
    row.lease_until = now + timedelta(seconds=pace.lease_seconds(account))
    row.save(update_fields=["state", "lease_token", "lease_until"])
    attempt = OutboxAttempt.objects.create(
        row=row,
        phase=row.phase,
        method=call.method,
        lease_token=token,
        identity=call.identity,
        started_at=start_at,
    )
    return Job(row.pk, row.coupon_id, token, attempt.pk, call, account, start_at)
