"""The look that a clock takes every minute: what is the matter that nobody has said, and what is over.

Whatever opens an incident at once (an account that stops) is looked at here too, so that nothing stays open or unsaid
because a process died between two lines.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Count, Min, Q
from django.utils import timezone

from integrations.alerts.faults import figures_of
from integrations.alerts.incidents import close_incident, raise_incident, subject_of
from integrations.models import AccountState, DfireCallback, Incident, OutboxRow
from integrations.models.alerts import IncidentKind
from integrations.models.inbox import OPEN_STATES
from integrations.models.outbox import RowState
from merchants.models import DfireAccount, Merchant

logger = logging.getLogger(__name__)


class _Found:
    """What one check has found: each thing once, by its subject."""

    def __init__(self, kind: IncidentKind) -> None:
        self.kind = kind
        self.subjects: set[str] = set()

    def add(
        self, *, figures: dict[str, Any], account: DfireAccount | None = None, merchant: Merchant | None = None
    ) -> None:
        """Open an incident, or bring its figures up to date."""
        self.subjects.add(subject_of(account=account, merchant=merchant))
        raise_incident(self.kind, account=account, merchant=merchant, figures=figures)

    def close_the_others(self) -> None:
        """What was not found any more is over."""
        for incident in Incident.objects.filter(kind=self.kind, closed_at=None).exclude(subject__in=self.subjects):
            close_incident(self.kind, subject=incident.subject)


def check() -> None:
    """Open and close incidents. One check that fails does not keep the others from their look."""
    checks: tuple[Callable[[datetime], None], ...] = (_accounts, _late_rows, _failed_rows, _open_callbacks)
    for one in checks:
        try:
            one(timezone.now())
        except DatabaseError:
            raise
        except Exception:
            logger.exception("The check %s failed.", one.__name__)


def _accounts(now: datetime) -> None:
    """Each account under the lock that stopping and going on take, so that its state holds while it is told."""
    told = Incident.objects.filter(kind=IncidentKind.ACCOUNT_STOPPED, closed_at=None).values("account")
    doubtful = AccountState.objects.filter(Q(stopped_at__isnull=False) | Q(account__in=told))
    for pk in list(doubtful.values_list("pk", flat=True)):
        with transaction.atomic():
            state = AccountState.objects.select_for_update(of=("self",)).select_related("account").get(pk=pk)
            if state.stopped_at is None:
                close_incident(IncidentKind.ACCOUNT_STOPPED, account=state.account)
            else:
                raise_incident(IncidentKind.ACCOUNT_STOPPED, account=state.account, figures=figures_of(state))


def _late_rows(now: datetime) -> None:
    """Queued for too long, by merchant. A stopped account is told of as such, and has time to catch up afterwards."""
    minutes = settings.ALERT_QUEUE_MINUTES
    limit = now - timedelta(minutes=minutes)
    excused = Incident.objects.filter(Q(closed_at=None) | Q(closed_at__gt=limit), kind=IncidentKind.ACCOUNT_STOPPED)
    late = (
        OutboxRow.objects.filter(state=RowState.QUEUED)
        .filter(queued_at__lt=limit)
        .exclude(merchant__dfire_account__in=excused.values("account"))
        .order_by()
        .values("merchant")
        .annotate(count=Count("pk"), oldest=Min("queued_at"))
    )
    found = _Found(IncidentKind.QUEUE_TOO_OLD)
    for row in late:
        figures = {"count": row["count"], "minutes": minutes, "oldest": row["oldest"].isoformat()}
        found.add(merchant=Merchant.objects.get(pk=row["merchant"]), figures=figures)
    found.close_the_others()


def _failed_rows(now: datetime) -> None:
    """Dead letters, by merchant."""
    failed = OutboxRow.objects.filter(state=RowState.DEAD).order_by().values("merchant").annotate(count=Count("pk"))
    found = _Found(IncidentKind.DEAD_LETTERS)
    for row in failed:
        found.add(merchant=Merchant.objects.get(pk=row["merchant"]), figures={"count": row["count"]})
    found.close_the_others()


def _open_callbacks(now: datetime) -> None:
    """Callbacks that have fitted nothing for a while, by the merchant that dfire named, else by account."""
    minutes = settings.ALERT_INBOX_MINUTES
    waiting = (
        DfireCallback.objects.filter(state__in=OPEN_STATES, received_at__lt=now - timedelta(minutes=minutes))
        .order_by()
        .values("account", "entity_id")
        .annotate(count=Count("pk"))
    )
    counts: dict[tuple[int, int | None], int] = {}
    for row in waiting:
        whose = (row["account"], _merchant_named(row["account"], row["entity_id"]))
        counts[whose] = counts.get(whose, 0) + row["count"]
    found = _Found(IncidentKind.UNMATCHED_CALLBACKS)
    for (account_id, merchant_id), count in counts.items():
        figures = {"count": count, "minutes": minutes}
        if merchant_id is None:
            found.add(account=DfireAccount.objects.get(pk=account_id), figures=figures)
        else:
            found.add(merchant=Merchant.objects.get(pk=merchant_id), figures=figures)
    found.close_the_others()


def _merchant_named(account_id: int, entity_id: str) -> int | None:
    """The one merchant of the account that has this entity ID, itself or as a shop's."""
    named = Merchant.objects.filter(Q(entity_id=entity_id) | Q(shops__entity_id=entity_id), dfire_account=account_id)
    found = set(named.values_list("pk", flat=True)[:2]) if entity_id else set()
    return found.pop() if len(found) == 1 else None
