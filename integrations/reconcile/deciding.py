"""What is decided about a plan: which findings are repaired, which are accepted. The repair itself follows behind.

Findings are only marked here, by one UPDATE however many they are; `repairing` takes them one by one.
"""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from coupons.choices import Delivery
from integrations.models import Finding, Reconciliation
from integrations.models.reconcile import Drift, FindingState, RunState
from integrations.reconcile import runs
from integrations.reconcile.runs import RunRefused, Staff

# What the nightly run mends by itself: it takes nothing from anybody, and it follows from dfire's word alone.
SAFE = Q(kind__in=[Drift.REDEEMED_THERE, Drift.UNDELIVERED_HERE]) | Q(
    kind=Drift.MISSING_THERE, details__delivery__in=[Delivery.QUEUED, Delivery.WAITING]
)


def repair(run: Reconciliation, chosen: QuerySet[Finding], *, by: Staff) -> int:
    """Have the chosen open findings of the run repaired. Returns how many; those without a repair stay open.

    Raises:
        RunRefused: the run is not planned, or its plan waits for confirmation.
    """
    return _decide(run, chosen.exclude(repair=""), FindingState.QUEUED, by=by)


def accept(run: Reconciliation, chosen: QuerySet[Finding], *, by: Staff) -> int:
    """Leave the chosen open findings as they are, both here and there. Returns how many.

    Raises:
        RunRefused: the run is still comparing, or has not come to an end.
    """
    return _decide(run, chosen, FindingState.IGNORED, by=by)


def repair_safe(run: Reconciliation) -> int:
    """Have repaired what needs nobody's decision. Returns how many."""
    return _decide(run, Finding.objects.filter(SAFE).exclude(repair=""), FindingState.QUEUED, by=None)


@transaction.atomic
def _decide(run: Reconciliation, chosen: QuerySet[Finding], to: FindingState, *, by: Staff | None) -> int:
    state = Reconciliation.objects.select_for_update(no_key=True).values_list("state", flat=True).get(pk=run.pk)
    if state == RunState.NEEDS_CONFIRMATION and to == FindingState.QUEUED:
        raise RunRefused("needs_confirmation")
    if state not in (RunState.PLANNED, RunState.NEEDS_CONFIRMATION):
        raise RunRefused("wrong_state")
    marked = Finding.objects.filter(pk__in=chosen.order_by().values("pk"), run=run, state=FindingState.OPEN).update(
        state=to, decided_by_id=by.pk if by else None, decided_at=timezone.now(), message=""
    )
    runs.settle_if_done(run.pk)
    return marked
