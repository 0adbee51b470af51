"""What is pruned, at which age, and how: one line for each kind.

Nothing is pruned that is not settled: no open callback, no row of the outbox that is on its way or waits for staff, no
attempt of a coupon that has such a row, and no attempt that alone says under whom dfire may hold a coupon.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Now
from django.utils import timezone

from coupons.choices import BatchState, CouponStatus
from coupons.models import BatchRow
from integrations.models import (
    ApiAnswer,
    ApiCall,
    DfireCallback,
    OutboxAttempt,
    OutboxRow,
    Push,
    PushAnswer,
    SignatureSeen,
    WebhookDelivery,
)
from integrations.models.inbox import OPEN_STATES
from integrations.models.outbox import SETTLED_FOR_GOOD
from integrations.models.webhooks import SETTLED, DeliveryState
from merchants.choices import OPEN
from merchants.models import AuditEntry, CustomerFileRow, FailedSignIn, SignIn, SignInLock

AUDIT_KEEPS_DAYS = 30  # the trigger of merchants' migration 0007 refuses to delete anything younger
_OVER = (CouponStatus.REDEEMED, CouponStatus.REVOKED, CouponStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that lose their contents, or go altogether (`deletes`), so many days (`setting`) after their `age`.

    `rows` are those that may go whatever their age; `locks` the relations that must stand still meanwhile.
    """

    name: str
    setting: str
    age: str
    rows: Callable[[], QuerySet[Any]]
    deletes: bool = False
    locks: tuple[str, ...] = ()
    permit: str = ""  # a setting of the transaction without which the database refuses

    @property
    def days(self) -> int:
        """The setting's value; 0 = kept for good."""
        return int(getattr(settings, self.setting))

    def due(self, now: datetime | None = None) -> QuerySet[Any]:
        """The rows that have come of age."""
        if not self.days:
            return self.rows().none()
        return self.rows().filter(**{f"{self.age}__lt": (now or timezone.now()) - timedelta(days=self.days)})


def _attempts() -> QuerySet[OutboxAttempt]:
    settled = OutboxAttempt.objects.filter(blanked_at=None, row__state__in=SETTLED_FOR_GOOD)
    return _of_settled_coupons(settled, path="row__coupon")


def _outbox_rows() -> QuerySet[OutboxRow]:
    settled = OutboxRow.objects.filter(blanked_at=None, coupon__isnull=False, state__in=SETTLED_FOR_GOOD)
    return _of_settled_coupons(settled, path="coupon")


def _of_settled_coupons(rows: QuerySet[Any], *, path: str) -> QuerySet[Any]:
    """Those about no coupon, or about one of which nothing more can be asked or told on their evidence.

    A coupon that was never seen delivered may be held at dfire under the identity of any attempt, until it is over.
    """
    unsettled = OutboxRow.objects.filter(coupon=OuterRef(path)).exclude(state__in=SETTLED_FOR_GOOD)
    no_evidence = ~Q(**{f"{path}__delivered_openid": ""}) | Q(**{f"{path}__status__in": _OVER})
    return rows.filter(Q(**{path: None}) | (no_evidence & ~Exists(unsettled)))


def _push_answers() -> QuerySet[PushAnswer]:
    """None that a repeat could still ask for."""
    window = ExpressionWrapper(
        F("account__repeat_window_seconds") * Value(timedelta(seconds=1)), output_field=DurationField()
    )
    return PushAnswer.objects.filter(answered_at__lt=Now() - window)


def _batch_rows() -> QuerySet[BatchRow]:
    """None of a batch that may still be worked."""
    return BatchRow.objects.filter(batch__state__in=[BatchState.DONE, BatchState.CANCELLED])


def _file_rows() -> QuerySet[CustomerFileRow]:
    """None of a file that may still be entered."""
    return CustomerFileRow.objects.exclude(file__state__in=OPEN)


def _deliveries() -> QuerySet[WebhookDelivery]:
    """None that is still to be sent, unless its address has been off for as long."""
    off = Q(endpoint__lane__off_at__isnull=False, state=DeliveryState.QUEUED)
    return WebhookDelivery.objects.filter(Q(state__in=SETTLED) | off)


def _audit_entries() -> QuerySet[AuditEntry]:
    """None of the last days, which the database keeps whatever the setting says."""
    return AuditEntry.objects.filter(at__lt=timezone.now() - timedelta(days=AUDIT_KEEPS_DAYS + 1))


KINDS = (
    Kind("attempts", "RETENTION_ATTEMPTS_DAYS", "started_at", _attempts, locks=("row",)),
    Kind("outbox rows", "RETENTION_OUTBOX_ROWS_DAYS", "settled_at", _outbox_rows),
    Kind("pushes", "RETENTION_PUSHES_DAYS", "received_at", lambda: Push.objects.filter(blanked_at=None)),
    Kind("push answers", "RETENTION_PUSH_ANSWERS_DAYS", "answered_at", _push_answers, deletes=True),
    Kind("used signatures", "RETENTION_PUSH_ANSWERS_DAYS", "seen_at", SignatureSeen.objects.all, deletes=True),
    Kind(
        "callbacks", "RETENTION_CALLBACKS_DAYS", "settled_at",
        lambda: DfireCallback.objects.filter(blanked_at=None).exclude(state__in=OPEN_STATES),
    ),
    Kind("batch rows", "RETENTION_BATCH_ROWS_DAYS", "created_at", _batch_rows, deletes=True),
    Kind("rows of customer files", "RETENTION_BATCH_ROWS_DAYS", "created_at", _file_rows, deletes=True),
    Kind("answers of the API", "RETENTION_API_ANSWERS_DAYS", "answered_at", ApiAnswer.objects.all, deletes=True),
    Kind("calls of the API", "RETENTION_API_CALLS_DAYS", "at", ApiCall.objects.all, deletes=True),
    Kind("webhook deliveries", "RETENTION_WEBHOOKS_DAYS", "created_at", _deliveries, deletes=True),
    Kind("sessions", "RETENTION_SESSIONS_DAYS", "expire_date", Session.objects.all, deletes=True),
    Kind("sign-ins", "RETENTION_SIGN_INS_DAYS", "attempt_time", SignIn.objects.all, deletes=True),
    Kind("failed sign-ins", "RETENTION_SIGN_INS_DAYS", "attempt_time", FailedSignIn.objects.all, deletes=True),
    Kind("failures in a row", "RETENTION_SIGN_INS_DAYS", "attempt_time", SignInLock.objects.all, deletes=True),
    Kind(
        "audit entries", "RETENTION_AUDIT_DAYS", "at", _audit_entries, deletes=True, permit="portal.audit_prunes"
    ),
)  # fmt: skip
