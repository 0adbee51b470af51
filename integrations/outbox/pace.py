"""Each dfire account's limits, kept across all workers: calls in flight, calls a second, and whether it is stopped.

Rows are claimed under a lock on the account's state, so counting the leases in force is exact (rows that share a lease
are called for one after another). The rate is kept by
giving out slots in time: a claim of n rows moves the account's next free slot n intervals on. Whoever only reads
(reconciliation) takes its slots here too, from what deliveries leave.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from integrations.alerts.faults import figures_of, figures_of_error
from integrations.alerts.incidents import close_incident, raise_incident
from integrations.dfire import DfireError
from integrations.models import AccountState, ReadsInFlight
from integrations.models.alerts import IncidentKind
from integrations.outbox.picking import pick
from merchants.models import DfireAccount

HORIZON = timedelta(seconds=0.5)  # slots further ahead are left for a later claim, which looks at the rows anew
PROBE_EVERY = timedelta(seconds=30)
READ_HORIZON = timedelta(seconds=0.1)  # so far ahead readers may spend the rate: a delivery waits no longer for them
SLOW_FOR = timedelta(seconds=30)
SLOW_FACTOR = 4
# Slots lie a tenth further apart than the rate says: threads and the network shift single calls, and one second on
# dfire's clock must not hold one too many.
_SLACK = 1.1
_ANSWER_NOTED_EVERY = timedelta(seconds=5)
# One question for both, because every claim asks it.
_IN_FLIGHT = """
SELECT (SELECT count(DISTINCT lease_token) FROM integrations_outboxrow
        WHERE account_id = %(account)s AND state = 'sending')
     + (SELECT coalesce(sum(calls), 0) FROM integrations_readsinflight
        WHERE account_id = %(account)s AND until >= %(now)s)
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many calls may be begun now, one each `interval`. `paced`: none, because the next slots are still ahead."""

    count: int
    interval: timedelta = timedelta()
    paced: bool = False


def allowance(
    state: AccountState, wanted: int, now: datetime, *, spare: int = 0, horizon: timedelta = HORIZON
) -> Allowance:
    """What the account's limits leave of `wanted` calls. The state must be locked.

    Args:
        spare: how many of the calls in flight stay free for others.
        horizon: how far ahead slots may be taken.
    """
    account = state.account
    if state.stopped_at is not None:
        if state.probe_at is not None and state.probe_at > now:
            return Allowance(0)
        wanted = 1  # one row tries whether it has been mended
    slow = state.slowed_until is not None and state.slowed_until > now
    at_once = max(1, account.max_concurrency // SLOW_FACTOR) if slow else account.max_concurrency
    count = min(wanted, at_once - _in_flight(account, now) - spare)
    if count <= 0:
        return Allowance(0)
    rate = account.max_requests_per_second
    interval = timedelta(seconds=_SLACK / rate) if rate else timedelta()
    if slow:
        interval = max(interval, timedelta(seconds=0.01)) * SLOW_FACTOR
    if interval:
        room = now + horizon - max(now, state.next_slot_at or now)
        if room < timedelta():
            return Allowance(0, paced=True)
        count = min(count, room // interval + 1)
    return Allowance(count, interval)


def goes_freely(state: AccountState, now: datetime) -> bool:
    """Whether nothing but its calls in flight limits the account: a place may then be given rows ahead."""
    slow = state.slowed_until is not None and state.slowed_until > now
    return not slow and state.stopped_at is None and not state.account.max_requests_per_second


def spend(state: AccountState, count: int, interval: timedelta, now: datetime) -> list[datetime]:
    """Take the next `count` slots and return them. While the account is stopped the one try spends the probe."""
    first = max(now, state.next_slot_at or now)
    state.next_slot_at = first + interval * count
    if state.stopped_at is not None:
        state.probe_at = now + PROBE_EVERY
    state.save(update_fields=["next_slot_at", "probe_at"])
    return [first + interval * place for place in range(count)]


@dataclass(frozen=True, slots=True)
class ReadSlots:
    """When the calls granted to a reader may begin (aware). `yielding`: deliveries are due and go first."""

    starts: list[datetime]
    yielding: bool = False


@transaction.atomic
def take_reads(account_id: int, token: uuid.UUID, *, wanted: int, in_flight: int) -> ReadSlots:
    """Slots for calls that only read: they share the account's limits with the outbox and come after it.

    While rows of the outbox are due a reader has one call in flight at most, and one is always left to the outbox,
    unless the account allows no more than one at all: then readers wait.

    Args:
        token: the reader's own; what it has in flight counts for others as long as one call can take.
        wanted: how many more calls it would begin.
        in_flight: how many calls it has under way at this moment.
    """
    now = timezone.now()
    state = lock_state(account_id)
    _note_reads(state, token, in_flight, now)
    alone = state.account.max_concurrency == 1
    due = bool(pick(account_id, 1, now))
    if due:
        wanted = min(wanted, 0 if alone else 1 - in_flight)
    if wanted <= 0:
        return ReadSlots([], due)
    allowed = allowance(state, wanted, now, spare=0 if alone else 1, horizon=READ_HORIZON)
    if not allowed.count:
        return ReadSlots([], due)
    _note_reads(state, token, in_flight + allowed.count, now)
    return ReadSlots(spend(state, allowed.count, allowed.interval, now), due)


def end_reads(token: uuid.UUID) -> None:
    """The reader has nothing in flight any more. What readers left that died goes too."""
    ReadsInFlight.objects.filter(Q(token=token) | Q(until__lt=timezone.now())).delete()


def _note_reads(state: AccountState, token: uuid.UUID, calls: int, now: datetime) -> None:
    ReadsInFlight.objects.bulk_create(
        [ReadsInFlight(token=token, account=state.account, calls=calls, until=now + lease_time(state.account))],
        update_conflicts=True, unique_fields=["token"], update_fields=["account", "calls", "until"],
    )  # fmt: skip


def _in_flight(account: DfireAccount, now: datetime) -> int:
    """How many calls the account has in flight: one for each lease, and what readers have."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FLIGHT, {"account": account.pk, "now": now})
        return int(cursor.fetchone()[0])


def is_stopped(account_id: int) -> bool:
    """Whether the account is stopped, without its lock."""
    return AccountState.objects.filter(account=account_id, stopped_at__isnull=False).exists()


def lock_state(account_id: int) -> AccountState:
    """The account's state, locked until the transaction ends; made at first use."""
    locked = AccountState.objects.select_for_update(of=("self",)).select_related("account")
    state = locked.filter(account_id=account_id).first()
    if state is None:
        AccountState.objects.get_or_create(account_id=account_id)
        state = locked.get(account_id=account_id)
    return state


@transaction.atomic
def stop(account_id: int, error: DfireError, now: datetime) -> bool:
    """Stop an account whose configuration dfire refused, and open its incident. Everything queued is kept.

    Returns:
        Whether it was running until now, so that staff are told once.
    """
    why = figures_of_error(error)
    fresh = AccountState.objects.filter(account_id=account_id, stopped_at=None).update(
        stopped_at=now,
        stop_code=why["code"][:50],
        stop_message=why["message"][:500],
        stop_method=why["method"],
        stop_clock_seconds=why["clock_seconds"],
        probe_at=now + PROBE_EVERY,
    )
    if fresh:
        state = AccountState.objects.select_related("account").get(account_id=account_id)
        raise_incident(IncidentKind.ACCOUNT_STOPPED, account=state.account, figures=figures_of(state))
    return bool(fresh)


def answered(account_id: int, asked_at: datetime, now: datetime) -> None:
    """dfire has answered something other than "your configuration is wrong" to a call of `asked_at`.

    A stopped account goes on and its incident is over, unless the call had been under way before it was stopped.
    """
    state = AccountState.objects.filter(account_id=account_id)
    noted_long_ago = Q(last_answer_at=None) | Q(last_answer_at__lt=now - _ANSWER_NOTED_EVERY)
    stopped_before = Q(stopped_at__lt=asked_at)
    if not state.filter(noted_long_ago | stopped_before).exists():
        return  # as nearly always
    with transaction.atomic():
        goes_on = state.filter(stopped_before).update(
            stopped_at=None, stop_code="", stop_message="", stop_method="", stop_clock_seconds=None, probe_at=None
        )
        state.update(last_answer_at=now)
        if goes_on:
            close_incident(IncidentKind.ACCOUNT_STOPPED, account=DfireAccount.objects.get(pk=account_id))


def slow_down(account_id: int, now: datetime) -> None:
    """dfire said that we are too fast (36, 37): a quarter of the pace for a while."""
    AccountState.objects.filter(account_id=account_id).update(slowed_until=now + SLOW_FOR)


def probe_soon(account: DfireAccount) -> None:
    """Staff have changed the account: try at once whether it is mended."""
    AccountState.objects.filter(account=account, stopped_at__isnull=False).update(probe_at=timezone.now())


def lease_time(account: DfireAccount) -> timedelta:
    """How long a row is leased: longer than a whole call can take, at most OUTBOX_LEASE_SECONDS."""
    seconds = min(settings.OUTBOX_LEASE_SECONDS, account.timeout_seconds + settings.OUTBOX_LEASE_MARGIN_SECONDS)
    return timedelta(seconds=seconds)
