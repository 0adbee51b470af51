"""One account's lane: hands out what is to be reported under a lease, and writes down what came of it.

The lane's row is locked for the moment of both. Trouble with the account itself (credentials, nobody answers) holds the
whole lane back; trouble with what is in a call makes its coupons go one by one, so that the one to blame is found.
"""

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone

from integrations.alerts.incidents import close_incident, raise_incident
from integrations.consume.client import Credentials, Outcome
from integrations.dfire.codes import ResultClass
from integrations.models import ConsumeReport, ReportLane
from integrations.models.alerts import IncidentKind
from integrations.models.reports import ReportState
from merchants.models import SmartCouponAccount

PROBE_EVERY = timedelta(seconds=60)  # a stopped account is tried again this often
LONGEST_PAUSE_SECONDS = 300
TOGETHER_TRIES = 3  # so often coupons are tried together before each goes by itself
_LEASE_MARGIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Job:
    """One call to make: what it reports, as whom, and the lease that its outcome counts under."""

    account_id: int
    lease: uuid.UUID
    ids: list[int]
    codes: list[str]
    where: Credentials
    access_token: str = field(repr=False)


@transaction.atomic
def claim(account: SmartCouponAccount) -> Job | None:
    """Take the next coupons of an account that wants reports; None if it may make no call now or has nothing due.

    The try is written down before anything is sent.
    """
    now = timezone.now()
    lane = _locked(account.pk)
    held = lane.lease_until is not None and lane.lease_until > now
    if held or (lane.next_at is not None and lane.next_at > now):
        return None
    due = ConsumeReport.objects.filter(account=account, state=ReportState.QUEUED, available_at__lte=now)
    rows = list(due.order_by("id").values_list("pk", "alone", "coupon__code")[: settings.CONSUME_COUPONS_A_CALL])
    if not rows:
        return None
    together = [row for row in rows if not row[1]] or rows[:1]
    if rows[0][1] or lane.stopped_at is not None:
        together = rows[:1]
    lane.lease_token = uuid.uuid4()
    lane.lease_until = now + timedelta(seconds=3 * settings.CONSUME_TIMEOUT_SECONDS) + _LEASE_MARGIN
    lane.save(update_fields=["lease_token", "lease_until"])
    ids = [row[0] for row in together]
    ConsumeReport.objects.filter(pk__in=ids).update(tries=F("tries") + 1, sent_at=now)
    return Job(
        account_id=account.pk,
        lease=lane.lease_token,
        ids=ids,
        codes=[row[2] for row in together],
        where=Credentials(account.consume_base_url, account.app_id, account.app_secret),
        access_token=lane.access_token,
    )


@transaction.atomic
def settle(job: Job, outcome: Outcome) -> None:
    """Write down what came of a call; nothing, where its lease has run out and another has been given."""
    now = timezone.now()
    lane = _locked(job.account_id)
    if lane.lease_token != job.lease:
        return
    lane.lease_token = lane.lease_until = None
    lane.access_token = outcome.access_token
    rows = ConsumeReport.objects.filter(pk__in=job.ids, state=ReportState.QUEUED)
    rows.update(result=outcome.result.value, code=outcome.code[:50], message=outcome.message[:500])
    if outcome.result is ResultClass.CONFIGURATION:
        _stop(lane, outcome, now)
    elif not outcome.answered:
        lane.failures += 1
        lane.next_at = now + _pause(lane.failures)
    else:
        _go_on(lane)
        _judge(rows, outcome, now, single=len(job.ids) == 1)
    lane.save()


def go_on(account: SmartCouponAccount) -> None:
    """Staff have changed the account: forget its token, and try at once; nothing is wrong where it wants no reports."""
    with transaction.atomic():
        lane = _locked(account.pk)
        lane.access_token = ""  # nosec B105 # forgotten
        lane.next_at, lane.failures = None, 0
        if not account.wants_reports:
            _go_on(lane)
        lane.save()


@transaction.atomic
def retry(reports: QuerySet[ConsumeReport]) -> list[int]:
    """Queue failed reports again. Returns the keys of those; the others were not failed."""
    failed = reports.filter(state=ReportState.DEAD).order_by("pk").select_for_update(of=("self",), no_key=True)
    taken = list(failed.values_list("pk", flat=True))
    ConsumeReport.objects.filter(pk__in=taken).update(
        state=ReportState.QUEUED, tries=0, available_at=timezone.now(), settled_at=None
    )
    return taken


def _judge(rows: QuerySet[ConsumeReport], outcome: Outcome, now: datetime, *, single: bool) -> None:
    """What the platform's answer means for the coupons of the call."""
    result = outcome.result
    if result is ResultClass.OK or (result is ResultClass.DUPLICATE and single):
        rows.update(state=ReportState.DONE, settled_at=now)
    elif result in (ResultClass.PERMANENT, ResultClass.DUPLICATE):
        if single:
            rows.update(state=ReportState.DEAD, settled_at=now)
        else:
            rows.update(alone=True)
    else:
        tries = max(rows.values_list("tries", flat=True), default=0)
        rows.update(available_at=now + _pause(tries))
        if not single and tries >= TOGETHER_TRIES:
            rows.update(alone=True)


def _stop(lane: ReportLane, outcome: Outcome, now: datetime) -> None:
    """Nothing works until staff mend the account; everything stays queued."""
    lane.stopped_at = lane.stopped_at or now
    lane.access_token = ""  # nosec B105 # forgotten
    lane.code, lane.message = outcome.code[:50], outcome.message[:500]
    lane.next_at = now + PROBE_EVERY
    account = lane.account
    few = list(account.merchants.order_by("pk")[:2])
    raise_incident(
        IncidentKind.REPORTS_STOPPED,
        merchant=few[0] if len(few) == 1 else None,  # of several, administrators are told
        subject=_subject(lane),
        figures={"platform": account.name, "code": lane.code, "message": lane.message},
        page=reverse("admin:merchants_smartcouponaccount_change", args=[account.pk]),
    )


def _go_on(lane: ReportLane) -> None:
    """The platform takes reports."""
    if lane.stopped_at is not None:
        close_incident(IncidentKind.REPORTS_STOPPED, subject=_subject(lane))
    lane.failures = 0
    lane.next_at = lane.stopped_at = None
    lane.code = lane.message = ""


def _subject(lane: ReportLane) -> str:
    return f"platform:{lane.account_id}"


def _pause(failures: int) -> timedelta:
    """Exponential, with jitter."""
    ceiling = min(LONGEST_PAUSE_SECONDS, 2 ** min(failures, 20))
    return timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # nosec B311 # spreads load, no secret


def _locked(account_id: int) -> ReportLane:
    """The account's lane, locked until the transaction ends; made at first use."""
    ReportLane.objects.get_or_create(account_id=account_id)
    return ReportLane.objects.select_for_update(no_key=True, of=("self",)).get(account_id=account_id)
