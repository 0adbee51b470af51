"""Writing down what came of a call: the attempt, the row, the coupon and the account, in one transaction.

A result counts only under the lease it was obtained under; a late one is kept with its attempt and changes nothing.
Locks: the customer where it matters, the coupon, the row.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from coupons import lifecycle
from integrations import counters
from integrations.dfire import (
    ConfigurationError,
    DuplicateError,
    EmptyError,
    PermanentError,
    RetryableError,
    UncertainError,
)
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowState
from integrations.outbox import holding, pace, verdicts
from integrations.outbox.calling import Outcome
from integrations.outbox.claiming import Job, Standing
from integrations.outbox.handlers import Broken, Call, Wait, handler_of, plan
from merchants.models import Customer
from merchants.updating import update_each

logger = logging.getLogger(__name__)
log = structlog.get_logger(__name__)

SAVED = [
    "state", "phase", "available_at", "lease_token", "lease_until", "lost_leases", "tries", "absences", "resends",
    "last_class", "last_code", "last_message", "settled_at", "details",
]  # fmt: skip
_CLOSED = ["result", "code", "message", "started_at", "duration_ms", "http_status", "request", "answer"]
DATABASE_AWAY = (OperationalError, InterfaceError)  # nobody's fault here: everything is tried again
LOST = "lost"
OK = "ok"
BROKEN = "broken"
WORKERS_DIED = "The worker died each time it took this row."


@dataclass(frozen=True, slots=True)
class _Told:
    """The locked row, and the attempt with what came of it."""

    row: OutboxRow
    attempt: OutboxAttempt
    outcome: Outcome


def settle(job: Job, outcome: Outcome) -> None:
    """Write down the outcome of a job."""
    stopped = False
    with transaction.atomic():
        row = _locked(job.row_id, job.coupon_id)
        attempt = closed_attempt(job, outcome, keeps=row is None or row.blanked_at is None)
        attempt.save(update_fields=_CLOSED)
        held = row is not None and row.lease_token == job.token
        if row is not None and held:
            take_in(row, attempt, answered=not outcome.given_back)
            stopped = _judge(_Told(row, attempt, outcome))
            _let_go(row)
            if row.coupon_id is None and row.state not in UNSETTLED:
                holding.release_on_commit(row.template_id)
    tell(job, attempt, becomes=row.state if row is not None and held else "late")
    if stopped:
        logger.error(
            "dfire refuses the configuration of account %s (%s %s): stopped, everything queued is kept.",
            job.account.name, attempt.code, attempt.message,
        )  # fmt: skip


def take_in(row: OutboxRow, attempt: OutboxAttempt, *, answered: bool = True) -> None:
    """The row is free again and says what the attempt brought; what becomes of it is for others to say."""
    _free(row)
    if answered and attempt.phase == Phase.SEND:  # a question says nothing about what sending does to its worker
        row.lost_leases = 0
    row.last_class, row.last_code, row.last_message = attempt.result, attempt.code, attempt.message


def tell(job: Job, attempt: OutboxAttempt, *, becomes: str) -> None:
    """Count the attempt, and say in the log what came of it and what the row is now."""
    counters.ATTEMPTS.labels(job.account.name, job.kind, attempt.result).inc()
    if attempt.duration_ms is not None:
        counters.CALL_SECONDS.labels(job.account.name).observe(attempt.duration_ms / 1000)
    log.info(
        "outbox_attempt",
        phase=attempt.phase,
        method=job.call.method,
        result=attempt.result,
        code=attempt.code,
        http_status=attempt.http_status,
        duration_ms=attempt.duration_ms,
        row_becomes=becomes,
    )


def settle_standing(standing: Standing) -> bool:
    """Write down that a row waits or falls away without a call.

    It is planned once more with the customer, the coupon and the row locked: what the customer lacked a moment ago may
    have been bound since, and whoever binds it from here on finds the row waiting.

    Returns:
        Whether it has to be looked at no more, or can be sent now. Never raises for a fault that is the row's own.
    """
    try:
        with transaction.atomic():
            _lock_customer(standing.coupon_id)
            row = _locked(standing.row_id, standing.coupon_id)
            if row is None or row.state != RowState.QUEUED:
                return False
            next_step = plan(row)
            if isinstance(next_step, Call):
                return True
            if isinstance(next_step, Broken):
                _set_aside(row, next_step.why)
            elif isinstance(next_step, Wait):
                verdicts.wait(row, next_step.why)
                handler_of(row).waits(row, next_step.why)
            else:
                verdicts.cancel(row, next_step.why)
                handler_of(row).drops(row)
            _let_go(row)
    except DATABASE_AWAY:
        raise
    except Exception as error:
        logger.exception("Outbox row %s could not be settled and is set aside.", standing.row_id)
        OutboxRow.objects.filter(pk=standing.row_id, state=RowState.QUEUED).update(
            state=RowState.DEAD, last_message=f"{type(error).__name__}: {error}"[:500], settled_at=timezone.now()
        )
    return True


def recover_lost(limit: int = 500) -> int:
    """Take back rows whose lease ran out: their worker died. What it may have sent is uncertain, never "again".

    Returns:
        How many came back or were set aside.
    """
    lost = OutboxRow.objects.filter(state=RowState.SENDING, lease_until__lt=timezone.now())
    taken = 0
    for row_id, coupon_id in list(lost.values_list("pk", "coupon_id")[:limit]):
        try:
            taken += _recover(row_id, coupon_id)
        except DATABASE_AWAY:
            raise
        except Exception:
            logger.exception("Outbox row %s could not be taken back.", row_id)
    return taken


@transaction.atomic
def _recover(row_id: int, coupon_id: int | None) -> bool:
    row = _locked(row_id, coupon_id)
    if row is None or row.lease_token is None or row.lease_until is None or row.lease_until >= timezone.now():
        return False
    attempt = OutboxAttempt.objects.get(row=row, lease_token=row.lease_token)
    if not attempt.result:
        attempt.result = LOST
        attempt.save(update_fields=["result"])
        transaction.on_commit(lambda: _tell_lost(row, attempt), robust=True)
    _free(row)
    row.lost_leases += 1
    row.last_class, row.last_code, row.last_message = LOST, "", ""
    if row.lost_leases >= settings.OUTBOX_MAX_LEASES:
        _set_aside(row, WORKERS_DIED)
    else:
        _uncertain(row, attempt)
    _let_go(row)
    return True


def _tell_lost(row: OutboxRow, attempt: OutboxAttempt) -> None:
    account = row.account.name if row.account else ""
    counters.ATTEMPTS.labels(account, row.kind, LOST).inc()
    log.warning(
        "outbox_lease_lost",
        outbox_row_id=row.pk,
        attempt_id=attempt.pk,
        coupon_id=row.coupon_id,
        merchant_id=row.merchant.merchant_id,
        account=account,
        origin=row.origin,
        row_becomes=row.state,
    )


def _judge(told: _Told) -> bool:
    """Apply the remedy of the result's class (PROTOCOLS §1). True if the account was stopped by it just now."""
    row, attempt, error = told.row, told.attempt, told.outcome.error
    now = timezone.now()
    account_id = row.account_id
    assert account_id is not None  # nosec B101 # a row is leased for an account
    if told.outcome.broken:
        _set_aside(row, told.outcome.broken)
        return False
    if told.outcome.given_back:
        verdicts.again_at_once(row)
        return False
    if isinstance(error, ConfigurationError):
        verdicts.again_at_once(row)
        return pace.stop(account_id, error, now)
    if isinstance(error, UncertainError):
        _uncertain(row, attempt)
        return False
    if error is None or error.code:
        pace.answered(account_id, attempt.started_at, now)
    if isinstance(error, RetryableError):
        if error.slow_down:
            pace.slow_down(account_id, now)
        verdicts.back_off(row)
        return False
    handler = handler_of(row)
    if error is None:
        row.tries = 0
        handler.succeeded(row, told.outcome.value)
    elif isinstance(error, DuplicateError) and _asks_about_duplicate(row):
        row.details = {**row.details, "duplicate": True}
        verdicts.ask_at_once(row)
    elif isinstance(error, PermanentError | EmptyError | DuplicateError):
        handler.refused(row, error)
    else:
        raise TypeError(f"No remedy for {type(error).__name__}.")
    return False


def _asks_about_duplicate(row: OutboxRow) -> bool:
    """Ask the first time only: what dfire calls a duplicate and never lists is for staff, not for ever."""
    return handler_of(row).asks_when_uncertain and row.phase == Phase.SEND and not row.details.get("duplicate")


def _uncertain(row: OutboxRow, attempt: OutboxAttempt) -> None:
    """The call may have happened. What only read, or may be repeated, is repeated; else dfire is asked."""
    if row.phase != Phase.SEND:
        verdicts.back_off(row)
    elif handler_of(row).asks_when_uncertain:
        verdicts.ask_later(row, attempt.started_at)
    else:
        verdicts.repeat_later(row, attempt.started_at)


def _set_aside(row: OutboxRow, why: str) -> None:
    """A fault of ours: for staff, so that it does not stop the others."""
    verdicts.dead(row, message=why)
    handler_of(row).fails(row, why)


def _locked(row_id: int, coupon_id: int | None) -> OutboxRow | None:
    """The row, locked, with its coupon locked first."""
    coupons = lifecycle.lock([coupon_id]) if coupon_id else []
    row = (
        OutboxRow.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "merchant", "version")
        .filter(pk=row_id)
        .first()
    )
    if row is not None and coupons:
        row.coupon = coupons[0]
    return row


def _lock_customer(coupon_id: int | None) -> None:
    """Lock the coupon's customer, so that no binding commits unseen."""
    if coupon_id is not None:
        Customer.objects.select_for_update(no_key=True, of=("self",)).get(coupons__pk=coupon_id)


def _let_go(row: OutboxRow) -> None:
    row.save(update_fields=SAVED)
    handler_of(row).ends(row)


def _free(row: OutboxRow) -> None:
    row.lease_token = row.lease_until = None


def save_attempts(attempts: Sequence[OutboxAttempt]) -> None:
    """Store closed attempts, all in one statement."""
    columns = {name: [getattr(attempt, name) for attempt in attempts] for name in _CLOSED}
    update_each(OutboxAttempt, [attempt.pk for attempt in attempts], columns)


def closed_attempt(job: Job, outcome: Outcome, *, keeps: bool) -> OutboxAttempt:
    """The attempt with its result, to be stored; what was said is kept unless the row's contents have been removed."""
    error, exchange = outcome.error, outcome.exchange
    attempt = OutboxAttempt(pk=job.attempt_id, row_id=job.row_id, phase=job.phase, started_at=job.start_at)
    attempt.result = BROKEN if outcome.broken else error.result_class.value if error else OK
    attempt.code = (error.code if error else "")[:50]
    attempt.message = (outcome.broken or (error.message if error else ""))[:500] if keeps else ""
    if exchange is not None:
        attempt.started_at = exchange.started_at
        attempt.duration_ms = exchange.duration_ms
        attempt.http_status = exchange.http_status
        attempt.request = dict(exchange.request) if keeps else {}
        attempt.answer = exchange.answer if keeps else ""
    return attempt
