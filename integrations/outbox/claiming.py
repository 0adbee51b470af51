"""Taking rows out of the outbox, for one account at a time, under a lease.

The account's state is locked while it lasts, so its limits hold across all workers. What comes out is a job whose
attempt is committed, as one without a result, before any socket opens.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from psycopg.types.json import Jsonb

from integrations import counters
from integrations.models import AccountState, OutboxAttempt, OutboxRow
from integrations.models.outbox import UNSETTLED, RowState
from integrations.outbox import gate, pace
from integrations.outbox.handlers import Call, plan
from integrations.outbox.picking import pick, pick_this
from merchants.inserting import insert_like
from merchants.models import DfireAccount
from merchants.updating import update_each

PROBES_TO_CHOOSE_FROM = 50
_ABOUT = ("account", "merchant", "version", "coupon__version")


@dataclass(frozen=True, slots=True)
class Job:
    """One call to make: the row and the lease it runs under, its attempt, and not before when."""

    row_id: int
    coupon_id: int | None
    token: uuid.UUID
    attempt_id: int
    phase: str
    call: Call
    account: DfireAccount
    start_at: datetime
    lease_until: datetime
    kind: str
    merchant_id: str
    origin: str

    def ids(self) -> dict[str, object]:
        """What every line of the log about this call says. The coupon's id, never its code."""
        return {
            "outbox_row_id": self.row_id,
            "attempt_id": self.attempt_id,
            "coupon_id": self.coupon_id,
            "kind": self.kind,
            "merchant_id": self.merchant_id,
            "account": self.account.name,
            "origin": self.origin,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """A row that seems to need no call: whether it waits or falls away is decided under its locks (`settling`)."""

    row_id: int
    coupon_id: int | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was taken. `paced`: the rate alone holds the account back, and not for long."""

    jobs: list[Job]
    standing: list[Standing]
    paced: bool = False

    def places(self) -> dict[uuid.UUID, list[Job]]:
        """The jobs of each lease, to be worked one after another."""
        places: dict[uuid.UUID, list[Job]] = {}
        for job in self.jobs:
            places.setdefault(job.token, []).append(job)
        return places


@transaction.atomic
def claim(account_id: int, most: int, *, in_a_row: int = 1, room: Mapping[uuid.UUID, int] | None = None) -> Claimed:
    """Lease rows of an account for up to `most` new places, as far as its limits allow.

    Args:
        in_a_row: how many rows a place may be given where more are due than places are free. One at a time where the
            account has a rate, is slowed down or stopped.
        room: places of the caller's that are at work, by their leases, and how many more rows each may have.
    """
    if not gate.is_open():
        return Claimed([], [])
    now = timezone.now()
    state = pace.lock_state(account_id)
    allowed = pace.allowance(state, most, now)
    if allowed.paced:
        counters.PACED.labels(state.account.name).inc()
    if not pace.goes_freely(state, now):
        in_a_row, room = 1, None
    if not allowed.count and not room:
        return Claimed([], [], allowed.paced)
    turns = _turns(allowed.count, in_a_row, room or {})
    calls: list[tuple[OutboxRow, Call]] = []
    standing: list[Standing] = []
    stopped = state.stopped_at is not None
    for row in _one_suspect(_lock(pick(account_id, PROBES_TO_CHOOSE_FROM if stopped else len(turns), now))):
        next_step = plan(row)
        if isinstance(next_step, Call):
            calls.append((row, next_step))
        else:
            standing.append(Standing(row.pk, row.coupon_id))
    if stopped:
        calls = _probe(calls, state.stop_method)
    return Claimed(_lease(calls, state, allowed.interval, turns) if calls else [], standing)


@transaction.atomic
def claim_this(row_id: int) -> Claimed | None:
    """Lease one row for whoever waits for it, within the limits of its account.

    Returns:
        No job where a worker holds the row, or the account's limits leave no room at this moment; None where it is no
        use to wait: the account is stopped, or there is none, or an earlier row of the coupon has to go first.
    """
    row = OutboxRow.objects.select_related("merchant").get(pk=row_id)
    if row.state != RowState.QUEUED:
        return Claimed([], [])
    if row.merchant.dfire_account_id is None or not gate.is_open():
        return None
    now = timezone.now()
    if not pick_this(row_id, row.merchant_id, now):  # the account's state, which all workers want, is left alone
        return None if _stands_behind(row) or pace.is_stopped(row.merchant.dfire_account_id) else Claimed([], [])
    state = pace.lock_state(row.merchant.dfire_account_id)
    if state.stopped_at is not None:
        return None
    allowed = pace.allowance(state, 1, now)
    if not allowed.count:
        return Claimed([], [], allowed.paced)
    for locked in _lock(pick_this(row_id, row.merchant_id, now)):
        next_step = plan(locked)
        if isinstance(next_step, Call):
            return Claimed(_lease([(locked, next_step)], state, allowed.interval, _turns(1)), [])
        return Claimed([], [Standing(locked.pk, locked.coupon_id)])
    return Claimed([], [])


def _stands_behind(row: OutboxRow) -> bool:
    earlier = OutboxRow.objects.filter(coupon=row.coupon_id, pk__lt=row.pk, state__in=UNSETTLED)
    return row.coupon_id is not None and earlier.exists()


def _probe(calls: list[tuple[OutboxRow, Call]], refused: str) -> list[tuple[OutboxRow, Call]]:
    """The one call to try: the refused one if it is among them, because another may well be allowed all the time."""
    return sorted(calls, key=lambda pair: pair[1].method != refused)[:1]


def _lock(ids: list[int]) -> list[OutboxRow]:
    """The picked rows that nobody else holds and that are still queued, in the order of the pick.

    What they are about is read once they are locked: in one statement it could be older than the lock.
    """
    free = OutboxRow.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=ids, state=RowState.QUEUED)
    locked = list(free.values_list("pk", flat=True))
    if len(locked) == 1:
        return list(OutboxRow.objects.select_related(*_ABOUT, "coupon__customer").filter(pk__in=locked))
    rows = list(OutboxRow.objects.select_related("coupon__customer").filter(pk__in=locked))
    prefetch_related_objects(rows, *_ABOUT)  # many share them: each is read, and its secret opened, once
    places = {pk: place for place, pk in enumerate(ids)}
    return sorted(rows, key=lambda row: places[row.pk])


def _one_suspect(rows: list[OutboxRow]) -> list[OutboxRow]:
    """At most one row that workers have died of repeatedly; the others of that kind come after it (`picking`)."""
    suspects = [row for row in rows if row.lost_leases >= settings.OUTBOX_SUSPECT_LEASES]
    return [row for row in rows if row not in suspects[1:]]


def _turns(new: int, in_a_row: int = 1, room: Mapping[uuid.UUID, int] | None = None) -> list[uuid.UUID]:
    """The lease of each row that may be taken, in their order: the first ones go to places that begin at once."""
    fresh = [uuid.uuid4() for _ in range(new)]
    known = room or {}
    turns: list[uuid.UUID] = []
    for turn in range(max([in_a_row, *known.values()])):
        turns += fresh if turn < in_a_row else []
        turns += [token for token, places in known.items() if turn < places]
    return turns


def _lease(
    calls: list[tuple[OutboxRow, Call]], state: AccountState, interval: timedelta, turns: list[uuid.UUID]
) -> list[Job]:
    """Write the leases and the open attempts, and give each call its slot in time, the first one now."""
    account = state.account
    slots = pace.spend(state, len(calls), interval, timezone.now())
    jobs = [
        Job(
            row_id=row.pk,
            coupon_id=row.coupon_id,
            token=token,
            attempt_id=0,
            phase=row.phase,
            call=call,
            account=account,
            start_at=start_at,
            lease_until=start_at + pace.lease_time(account),
            kind=row.kind,
            merchant_id=row.merchant.merchant_id,
            origin=row.origin,
        )
        for (row, call), start_at, token in zip(calls, slots, turns, strict=False)
    ]
    update_each(
        OutboxRow,
        [job.row_id for job in jobs],
        {
            "phase": [job.phase for job in jobs],
            "lease_token": [job.token for job in jobs],
            "lease_until": [job.lease_until for job in jobs],
        },
        same={"state": RowState.SENDING, "account_id": account.pk},
    )
    attempts = dict(
        insert_like(
            OutboxAttempt(),
            {
                "row_id": [job.row_id for job in jobs],
                "phase": [job.phase for job in jobs],
                "method": [job.call.method for job in jobs],
                "lease_token": [job.token for job in jobs],
                "identity": [Jsonb(job.call.identity) for job in jobs],
                "started_at": [job.start_at for job in jobs],
            },
            returning="row_id, id",
        )
    )
    return [replace(job, attempt_id=attempts[job.row_id]) for job in jobs]
