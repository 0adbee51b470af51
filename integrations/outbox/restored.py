"""After the database was restored from an older dump: what may have been sent since the dump is uncertain.

A row that was queued in the dump may have been sent a second later, and the restored database knows nothing of it. So
each such row gets an attempt that is assumed, and goes the way of every lost answer: dfire is asked first.
"""

import uuid
from collections import Counter
from datetime import datetime

from django.db import connection, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowKind, RowState
from integrations.outbox import gate, verdicts
from integrations.outbox.evidence import ASSUMED
from integrations.outbox.handlers import Call, handler_of, plan
from integrations.outbox.settling import LOST

BATCH = 500
_SAVED = [
    "state", "phase", "available_at", "lease_token", "lease_until", "absences", "last_class", "last_code",
    "last_message",
]  # fmt: skip
_OTHERS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
ORDER BY pid
"""


def others_at_work() -> list[int]:
    """The database's own process numbers of everyone else who is connected to it as the portal."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        return [row[0] for row in cursor.fetchall()]


def assume_sent(*, batch: int = BATCH) -> Counter[tuple[str, str]]:
    """Treat everything that may have been sent after the dump as sent with an unknown outcome.

    No worker takes a row while it lasts. Each batch is a transaction of its own: after a crash, run it again. What is
    uncertain already stays as it is, so a second run changes nothing.

    Returns:
        How many rows were changed, by kind and by the state they were in.
    """
    changed: Counter[tuple[str, str]] = Counter()
    last = 0
    with gate.shut():
        while found := _next(last, batch):
            last = max(found)
            changed += _assume(found)
    return changed


def _next(last: int, batch: int) -> dict[int, int | None]:
    """The next doubtful rows behind the last one, each with its coupon."""
    return dict(_doubtful().filter(pk__gt=last).values_list("pk", "coupon_id")[:batch])


def _doubtful() -> QuerySet[OutboxRow]:
    """What is not settled, and what staff may try again. To look once more at what was delivered harms nobody."""
    undelivered = Q(kind=RowKind.DELIVER, coupon__status=CouponStatus.ISSUED) & ~Q(coupon__delivery=Delivery.DELIVERED)
    return (
        OutboxRow.objects.filter(Q(state__in=[*UNSETTLED, RowState.DEAD]) | Q(state=RowState.CANCELLED) & undelivered)
        .exclude(phase=Phase.LOOK_AGAIN)
        .order_by("pk")
    )


@transaction.atomic
def _assume(found: dict[int, int | None]) -> Counter[tuple[str, str]]:
    lifecycle.lock(coupon_id for coupon_id in found.values() if coupon_id is not None)
    sends = OutboxAttempt.objects.filter(row=OuterRef("pk"), phase=Phase.SEND).order_by("-id")
    rows = (
        _doubtful()
        .filter(pk__in=list(found))
        .annotate(last_send=Subquery(sends.values("result")[:1]))
        .select_related("account", "merchant", "version", "coupon__customer", "coupon__merchant", "coupon__version")
        .select_for_update(of=("self",), no_key=True)
    )
    changed: Counter[tuple[str, str]] = Counter()
    now = timezone.now()
    for row in rows:
        if not _is_assumed(row, row.last_send):
            changed[row.kind, row.state] += 1
            _become_uncertain(row, now)
    return changed


def _is_assumed(row: OutboxRow, last_send: str | None) -> bool:
    """Whether an earlier run has done this row, and nothing has become of it since."""
    if last_send != ASSUMED or row.state == RowState.SENDING:
        return False
    fresh_question = row.phase == Phase.ASK and not row.absences
    return fresh_question or row.state not in UNSETTLED or not handler_of(row).asks_when_uncertain


def _become_uncertain(row: OutboxRow, now: datetime) -> None:
    sent_at = max(now, row.lease_until or now)  # whoever held the row may be sending for as long as that
    _note_assumed_attempt(row, sent_at)
    if row.state not in UNSETTLED:
        return  # if it is ever tried again, that attempt makes the trial a question
    OutboxAttempt.objects.filter(row=row, result="").update(result=LOST)
    row.lease_token = row.lease_until = None
    row.last_class, row.last_code = ASSUMED, ""
    if handler_of(row).asks_when_uncertain:
        row.phase, row.absences = Phase.ASK, 0
    if row.state != RowState.WAITING:  # else it waits on, for what people have to bring, and is asked about then
        row.state, row.last_message = RowState.QUEUED, ASSUMED
        row.available_at = max(row.available_at, sent_at + verdicts.landing_time(row))
    row.save(update_fields=_SAVED)


def _note_assumed_attempt(row: OutboxRow, sent_at: datetime) -> None:
    """As it would have been made by what the dump knows; under whom else it may have been is for the handlers."""
    phase, row.phase = row.phase, Phase.SEND
    next_step = plan(row)
    row.phase = phase
    call = next_step if isinstance(next_step, Call) else None
    OutboxAttempt.objects.create(
        row=row,
        phase=Phase.SEND,
        method=call.method if call else "",
        lease_token=uuid.uuid4(),
        identity=call.identity if call else {},
        started_at=sent_at,
        result=ASSUMED,
    )
