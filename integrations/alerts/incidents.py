"""Opening and closing incidents: the one door for whoever finds that something is the matter, or is over.

Both are safe to call again and from several workers at once: an advisory lock puts the callers for one subject in line,
and a partial unique constraint stands behind it. What comes back before anyone was told that it is over is the same
incident, so that a fault that comes and goes does not become a stream of notices.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.alerts.kinds import KINDS
from integrations.models import AlertTarget, Incident, Notice
from integrations.models.alerts import IncidentKind, NoticeEvent, NoticeState
from integrations.outbox import doorbell
from merchants.models import DfireAccount, Merchant

NOTICE_TASK = "integrations.tasks.send_notices"


def subject_of(*, account: DfireAccount | None = None, merchant: Merchant | None = None, name: str = "") -> str:
    """What an incident is about, as a key: `name` for what is neither an account nor a merchant (`webhook:7`)."""
    if name:
        return name
    if merchant is not None:
        return f"merchant:{merchant.pk}"
    return f"account:{account.pk}" if account is not None else "portal"


@transaction.atomic
def raise_incident(
    kind: IncidentKind,
    *,
    account: DfireAccount | None = None,
    merchant: Merchant | None = None,
    subject: str = "",
    figures: dict[str, Any] | None = None,
    page: str = "",
) -> Incident:
    """Open an incident and queue its notices, in the caller's transaction if there is one.

    While one of this kind is open for the subject, only its figures are brought up to date; nobody is told again.

    Args:
        account, merchant: whom it concerns; they decide who sees it and which targets are told.
        subject: a key of its own where several can be open for one account or merchant, such as `webhook:7`.
        figures: JSON values that the kind's words name (`integrations.alerts.kinds`). No secrets, no mobile numbers.
        page: the path of the admin page to mend it on, for kinds whose table does not know it.
    """
    key = subject_of(account=account, merchant=merchant, name=subject)
    _take_turns(kind, key)
    now, figures = timezone.now(), figures or {}
    latest = Incident.objects.filter(kind=kind, subject=key).order_by("-pk").first()
    if latest is not None and (latest.closed_at is None or _comes_back(latest)):
        if latest.closed_at is not None:
            latest.closed_at, latest.times = None, latest.times + 1
        latest.figures, latest.page = figures, page
        latest.save(update_fields=["closed_at", "times", "figures", "page"])
        return latest
    incident = Incident.objects.create(
        kind=kind, severity=KINDS[kind].severity, subject=key, account=account, merchant=merchant, figures=figures,
        page=page, opened_at=now,
    )  # fmt: skip
    _queue(incident, NoticeEvent.OPENED, targets_of(incident), now)
    return incident


@transaction.atomic
def close_incident(
    kind: IncidentKind,
    *,
    account: DfireAccount | None = None,
    merchant: Merchant | None = None,
    subject: str = "",
) -> bool:
    """Close the open incident of this kind and subject, if there is one.

    Whoever was told that it began is told that it is over, once it has not come back for ALERT_HOLD_SECONDS.

    Returns:
        Whether one was open.
    """
    key = subject_of(account=account, merchant=merchant, name=subject)
    _take_turns(kind, key)
    incident = Incident.objects.filter(kind=kind, subject=key, closed_at=None).first()
    if incident is None:
        return False
    incident.closed_at = max(timezone.now(), incident.opened_at)
    incident.save(update_fields=["closed_at"])
    told = AlertTarget.objects.filter(notices__incident=incident, notices__event=NoticeEvent.OPENED)
    _queue(incident, NoticeEvent.CLOSED, told, incident.closed_at + timedelta(seconds=settings.ALERT_HOLD_SECONDS))
    return True


def targets_of(incident: Incident) -> QuerySet[AlertTarget]:
    """The active targets that are told of an incident: by severity, and by the merchants it concerns."""
    if incident.merchant_id:
        concerned = Merchant.objects.filter(pk=incident.merchant_id)
    elif incident.account_id:
        concerned = Merchant.objects.filter(dfire_account=incident.account_id)
    else:
        concerned = Merchant.objects.none()
    return AlertTarget.objects.filter(
        Q(merchants=None) | Q(merchants__in=concerned), active=True, least_severity__lte=incident.severity
    ).distinct()


def _comes_back(incident: Incident) -> bool:
    """Whether a closed incident goes on as the same: it has only just closed, and nobody was told of it.

    Its notices of the end, still waiting out their time, are taken back.
    """
    long_ago = timezone.now() - timedelta(seconds=settings.ALERT_HOLD_SECONDS)
    if incident.closed_at is None or incident.closed_at <= long_ago:
        return False
    ends = list(incident.notices.select_for_update().filter(event=NoticeEvent.CLOSED))
    if any(notice.tries or notice.state != NoticeState.QUEUED for notice in ends):
        return False
    Notice.objects.filter(pk__in=[notice.pk for notice in ends]).delete()
    return True


def _queue(incident: Incident, event: NoticeEvent, targets: QuerySet[AlertTarget], due_at: datetime) -> None:
    Notice.objects.bulk_create(
        Notice(incident=incident, target=target, event=event, due_at=due_at) for target in targets.distinct()
    )
    transaction.on_commit(lambda: doorbell.ring(NOTICE_TASK), robust=True)


def _take_turns(kind: IncidentKind, key: str) -> None:
    """Wait until no other transaction opens or closes the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"incident {kind} {key}"])
