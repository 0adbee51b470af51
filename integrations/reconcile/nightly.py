"""The night's comparisons: every merchant with a dfire account, one after another within the hour from 03:30 Shanghai.

A sweep begins what is due and has not begun tonight, so a scheduler that was down for a while makes up for it.
"""

import logging
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from integrations.models import Reconciliation
from integrations.models.reconcile import RunMode, RunState
from integrations.reconcile import runs
from merchants.clock import SHANGHAI, local_day
from merchants.models import Merchant

logger = logging.getLogger(__name__)

_MAKE_UP = timedelta(hours=2)  # later than this it is day, and the next night will do
_FORGET_AT_ONCE = 20


def begin_due(now: datetime | None = None) -> int:
    """Begin what is due tonight at `now` (aware). Returns how many runs."""
    now = now or timezone.now()
    tonight = _tonight(now)
    if not tonight <= now < tonight + _MAKE_UP:
        return 0
    begun = Reconciliation.objects.filter(started_by=None, created_at__gte=tonight).values("merchant")
    due = Merchant.objects.filter(dfire_account__isnull=False).exclude(pk__in=begun).order_by("pk")
    count = 0
    for merchant in due.iterator():
        minutes = merchant.pk % max(1, settings.RECONCILE_NIGHTLY_SPREAD_MINUTES)
        if tonight + timedelta(minutes=minutes) > now:
            continue
        try:
            runs.start(merchant, RunMode.FULL)
            count += 1
        except runs.RunRefused:
            logger.info("Merchant %s is being compared already.", merchant.pk)
    return count


def forget_old() -> int:
    """Delete a few of the runs older than RECONCILE_KEEP_DAYS, with their findings. Returns how many."""
    old = Reconciliation.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.RECONCILE_KEEP_DAYS))
    ids = list(old.exclude(state=RunState.RUNNING).order_by("pk").values_list("pk", flat=True)[:_FORGET_AT_ONCE])
    Reconciliation.objects.filter(pk__in=ids).delete()
    return len(ids)


def _tonight(now: datetime) -> datetime:
    begins = time(settings.RECONCILE_NIGHTLY_HOUR, settings.RECONCILE_NIGHTLY_MINUTE)
    return datetime.combine(local_day(now), begins, SHANGHAI)
