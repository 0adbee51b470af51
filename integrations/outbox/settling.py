"""Writing down what came of a call: the attempt, the row, the coupon and the account, in one transaction.

A result counts only under the lease it was obtained under; a late one is kept with its attempt and changes nothing.
Locks: the coupon, then the row.
"""

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from integrations.dfire import (
    ConfigurationError,
    DfireError,
    DuplicateError,
    EmptyError,
    Exchange,
    PermanentError,
    RetryableError,
    UncertainError,
)
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import Phase, RowState
from integrations.outbox import pace, verdicts
from integrations.outbox.claiming import Job, Standing
from integrations.outbox.handlers import Broken, Wait, handler_of

logger = logging.getLogger(__name__)

_SAVED = [
    "state", "phase", "available_at", "lease_token", "lease_until", "lost_leases", "tries", "absences", "resends",
    "last_class", "last_code", "last_message", "settled_at", "details",
]  # fmt: skip
LOST = "lost"
OK = "ok"
BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call brought: a value, or an error of dfire's, or (a fault of ours) `broken` says what."""

    exchange: Exchange | None
    value: Any = None
    error: DfireError | None = None
    broken: str = ""


def settle(job: Job, outcome: Outcome) -> None:
    """Write down the outcome of a job."""
    stopped = False
    with transaction.atomic():
        row = _locked(job.row_id, job.coupon_id)
        attempt = OutboxAttempt.objects.get(pk=job.attempt_id)
        _close_attempt(attempt, outcome)
        if row is None or row.lease_token != job.token:
            return
        _free(row)
        row.lost_leases = 0
        row.last_class, row.last_code, row.last_message = attempt.result, attempt.code, attempt.message
        stopped = _judge(row, outcome)
        row.save(update_fields=_SAVED)
    if stopped:
        logger.error(
            "dfire refuses the configuration of account %s (%s %s): stopped, everything queued is kept.",
            job.account.name, attempt.code, attempt.message,
        )  # fmt: skip


def settle_standing(standing: Standing) -> None:
    """Write down that a row waits or falls away without a call."""
    with transaction.atomic():
        row = _locked(standing.row_id, standing.coupon_id)
        if row is None or row.state != RowState.QUEUED:
            return
        handler = handler_of(row)
        if isinstance(standing.verdict, Broken):
            verdicts.dead(row, message=standing.verdict.why)
        elif isinstance(standing.verdict, Wait):
            verdicts.wait(row, standing.verdict.why)
            handler.waits(row, standing.verdict.why)
        else:
            verdicts.cancel(row, standing.verdict.why)
            handler.drops(row, standing.verdict.why)
        row.save(update_fields=_SAVED)


def recover_lost(limit: int = 500) -> int:
    """Take back rows whose lease ran out: their worker died. What it may have sent is uncertain, never "again".

    Returns:
        How many came back or were set aside.
    """
    with transaction.atomic():
        lost = list(
            OutboxRow.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .select_related("account")
            .filter(state=RowState.SENDING, lease_until__lt=timezone.now())[:limit]
        )
        for row in lost:
            OutboxAttempt.objects.filter(row=row, lease_token=row.lease_token, result="").update(result=LOST)
            _free(row)
            row.lost_leases += 1
            row.last_class = LOST
            if row.lost_leases >= settings.OUTBOX_MAX_LEASES:
                verdicts.dead(row, message="The worker died each time it took this row.")
            else:
                _uncertain(row)
            row.save(update_fields=_SAVED)
    return len(lost)


def _judge(row: OutboxRow, outcome: Outcome) -> bool:
    """Apply the remedy of the result's class (PROTOCOLS §1). True if the account was stopped by it just now."""
    now = timezone.now()
    error = outcome.error
    account_id = row.account_id
    assert account_id is not None  # noqa: S101  (a row is leased for an account)
    if outcome.broken:
        verdicts.dead(row, message=outcome.broken)
        return False
    if isinstance(error, ConfigurationError):
        verdicts.again_at_once(row)
        return pace.stop(account_id, error, now)
    if isinstance(error, UncertainError):
        _uncertain(row)
        return False
    if isinstance(error, RetryableError):
        if error.slow_down:
            pace.slow_down(account_id, now)
        verdicts.back_off(row)
        return False
    pace.answered(account_id, now)
    handler = handler_of(row)
    if error is None:
        row.tries = 0
        handler.succeeded(row, outcome.value)
    elif isinstance(error, DuplicateError) and handler.asks_when_uncertain and row.phase == Phase.SEND:
        row.phase = Phase.ASK
        verdicts.again_at_once(row)
    elif isinstance(error, PermanentError | EmptyError | DuplicateError):
        handler.refused(row, error)
    else:
        raise TypeError(f"No remedy for {type(error).__name__}.")
    return False


def _uncertain(row: OutboxRow) -> None:
    """The call may have happened. What only read, or may be repeated, is repeated; else dfire is asked."""
    if row.phase == Phase.SEND and handler_of(row).asks_when_uncertain:
        row.absences = 0
        verdicts.ask_later(row)
    else:
        verdicts.back_off(row)


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


def _free(row: OutboxRow) -> None:
    row.lease_token = row.lease_until = None


def _close_attempt(attempt: OutboxAttempt, outcome: Outcome) -> None:
    error, exchange = outcome.error, outcome.exchange
    attempt.result = BROKEN if outcome.broken else error.result_class.value if error else OK
    attempt.code = (error.code if error else "")[:50]
    attempt.message = (outcome.broken or (error.message if error else ""))[:500]
    if exchange is not None:
        attempt.duration_ms = exchange.duration_ms
        attempt.http_status = exchange.http_status
        attempt.request = dict(exchange.request)
        attempt.answer = exchange.answer
    attempt.save()
