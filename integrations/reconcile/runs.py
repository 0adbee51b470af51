"""The states of a run and who may work it: every move is a conditional UPDATE, so that two who try cannot both.

A worker holds a running run under a lease, for a turn at most; a dead worker's run is taken up where it stood.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from integrations.models import CustomerAtRisk, Finding, Reconciliation
from integrations.models.reconcile import WITHDRAWING, Drift, FindingState, RunMode, RunState
from integrations.reconcile.limits import withdraws_too_much
from integrations.reconcile.signals import drift_found
from merchants.models import Merchant

LEASE = timedelta(seconds=60)
Staff = AbstractBaseUser | AnonymousUser  # as requests have it; nobody gets here without having signed in
_BACKOFF_FIRST_SECONDS = 5
_BACKOFF_MAX_SECONDS = 600


class RunRefused(Exception):
    """It cannot be done with the run or the merchant as they are; `reason` is a key of `words`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def start(merchant: Merchant, mode: RunMode, *, by: Staff | None = None, at: datetime | None = None) -> Reconciliation:
    """Begin a run, now or `at` a later moment (aware); `by` is None for the nightly one.

    Raises:
        RunRefused: the merchant has no dfire account, or is being compared already.
    """
    if merchant.dfire_account_id is None:
        raise RunRefused("not_connected")
    now = timezone.now()
    try:
        with transaction.atomic():
            run = Reconciliation.objects.create(
                merchant=merchant, mode=mode, started_by_id=by.pk if by else None, created_at=now, resume_at=at or now
            )
    except IntegrityError:
        raise RunRefused("running_already") from None
    return run


def go_on(run: Reconciliation) -> None:
    """Let a failed or cancelled run go on where it stood.

    Raises:
        RunRefused: it is neither, or its merchant is being compared by another run.
    """
    try:
        with transaction.atomic():
            moved = Reconciliation.objects.filter(pk=run.pk, state__in=[RunState.FAILED, RunState.CANCELLED]).update(
                state=RunState.RUNNING, resume_at=timezone.now(), message="", tries=0, finished_at=None
            )
    except IntegrityError:
        raise RunRefused("running_already") from None
    if not moved:
        raise RunRefused("wrong_state")


def cancel(run: Reconciliation) -> None:
    """Stop comparing; what has been found stays to look at.

    Raises:
        RunRefused: it is not running.
    """
    if not _move(run.pk, {RunState.RUNNING}, RunState.CANCELLED, lease_token=None, lease_until=None):
        raise RunRefused("wrong_state")


def confirm(run: Reconciliation, *, by: Staff, withdrawals: int) -> None:
    """Staff have read how many coupons the plan takes back, and want it.

    Raises:
        RunRefused: it waits for no confirmation, or the number they read is not the plan's.
    """
    waiting = Reconciliation.objects.filter(pk=run.pk, state=RunState.NEEDS_CONFIRMATION, withdrawals=withdrawals)
    if not waiting.update(state=RunState.PLANNED, confirmed_by_id=by.pk, confirmed_at=timezone.now()):
        raise RunRefused("wrong_state")


def claim() -> Reconciliation | None:
    """Take the run whose turn it is, under a lease of its own; None when nothing is to be done."""
    while True:
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        due = Reconciliation.objects.filter(free, state=RunState.RUNNING, resume_at__lte=now)
        first = due.order_by("resume_at", "pk").values_list("pk", flat=True).first()
        if first is None:
            return None
        token = uuid.uuid4()
        if due.filter(pk=first).update(lease_token=token, lease_until=now + LEASE):
            run = Reconciliation.objects.select_related("merchant__dfire_account").get(pk=first)
            return run if run.lease_token == token else None


def keep(run: Reconciliation, **progress: Any) -> bool:
    """Write progress and renew the lease. False if the run is not this worker's any more: then nothing is written."""
    for name, value in progress.items():
        setattr(run, name, value)
    return bool(_held(run).update(lease_until=timezone.now() + LEASE, **progress))


def release(run: Reconciliation) -> None:
    """The turn is over: the others', then again this one's."""
    _held(run).update(lease_token=None, lease_until=None, resume_at=timezone.now())


def back_off(run: Reconciliation, message: str) -> None:
    """dfire does not answer: try later, after 5 s doubling to 10 min."""
    pause = min(_BACKOFF_MAX_SECONDS, _BACKOFF_FIRST_SECONDS * 2 ** min(run.tries, 10))
    _held(run).update(
        lease_token=None,
        lease_until=None,
        resume_at=timezone.now() + timedelta(seconds=pause),
        tries=run.tries + 1,
        message=message[:500],
    )


def fail(run: Reconciliation, message: str) -> None:
    """It cannot go on until somebody has mended what the message names."""
    _held(run).update(
        state=RunState.FAILED, message=message[:500], lease_token=None, lease_until=None, finished_at=timezone.now()
    )


@transaction.atomic
def finish(run: Reconciliation) -> RunState | None:
    """Everything has been compared: the plan stands.

    Returns:
        The state it has now, or None if the run is not this worker's any more.
    """
    if not _held(run).select_for_update(no_key=True).exists():
        return None
    found = Finding.objects.filter(run=run)
    # What another was seen to hold is one matter, not two.
    elsewhere = found.filter(kind=Drift.HOLDER_DIFFERS).values("subject")
    found.filter(kind=Drift.MISSING_THERE, subject__in=elsewhere).delete()
    _supersede(run)
    CustomerAtRisk.objects.filter(run=run).delete()
    withdrawals = found.filter(repair__in=WITHDRAWING).count()
    out = IssuedCoupon.objects.filter(merchant=run.merchant_id, status=CouponStatus.ISSUED, delivery=Delivery.DELIVERED)
    run.outstanding = (
        out.count() + found.filter(kind__in=[Drift.STILL_HELD, Drift.UNKNOWN_HERE], repair__in=WITHDRAWING).count()
    )
    run.withdrawals = withdrawals
    if withdraws_too_much(withdrawals, run.outstanding):
        state = RunState.NEEDS_CONFIRMATION
    else:
        state = RunState.PLANNED if found.filter(state=FindingState.OPEN).exists() else RunState.APPLIED
    _held(run).update(
        state=state, finished_at=timezone.now(), outstanding=run.outstanding, withdrawals=withdrawals, message="",
        lease_token=None, lease_until=None,
    )  # fmt: skip
    run.state = state
    _tell(run)
    return state


def settle_if_done(run_id: int) -> None:
    """A plan of which nothing is open any more is settled."""
    if _settle(run_id):
        _tell(Reconciliation.objects.select_related("merchant").get(pk=run_id))


def _settle(run_id: int) -> bool:
    undecided = Finding.objects.filter(run=run_id, state__in=[FindingState.OPEN, FindingState.QUEUED])
    decidable = {RunState.PLANNED, RunState.NEEDS_CONFIRMATION}
    return not undecided.exists() and _move(run_id, decidable, RunState.APPLIED)


def counts(run: Reconciliation) -> dict[str, int]:
    """How many findings are open, by kind."""
    rows = Finding.objects.filter(run=run, state=FindingState.OPEN).order_by().values_list("kind")
    return dict(rows.annotate(Count("pk")))


def _tell(run: Reconciliation) -> None:
    found = counts(run)
    transaction.on_commit(
        lambda: drift_found.send(Reconciliation, merchant=run.merchant, run=run, counts=found), robust=True
    )


def _supersede(run: Reconciliation) -> None:
    """Older plans of the merchant: what this run has looked at anew is no longer theirs to decide."""
    older = Finding.objects.filter(run__merchant=run.merchant_id, run__pk__lt=run.pk, state=FindingState.OPEN)
    if run.mode != RunMode.FULL:
        older = older.filter(subject__in=Finding.objects.filter(run=run).values("subject"))
    touched = list(older.order_by().values_list("run", flat=True).distinct())
    older.update(state=FindingState.STALE, message="superseded")
    for run_id in touched:
        _settle(run_id)


def _held(run: Reconciliation) -> Any:
    return Reconciliation.objects.filter(pk=run.pk, lease_token=run.lease_token, state=RunState.RUNNING)


def _move(run_id: int, allowed: set[RunState], to: RunState, **more: Any) -> bool:
    return bool(Reconciliation.objects.filter(pk=run_id, state__in=allowed).update(state=to, **more))
