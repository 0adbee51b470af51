"""Differences from dfire become an incident of their merchant, until nothing of the plan is open any more."""

from typing import Any

from django.dispatch import receiver
from django.urls import reverse

from integrations.alerts.incidents import close_incident, raise_incident
from integrations.models import Reconciliation
from integrations.models.alerts import IncidentKind
from integrations.reconcile.signals import drift_found
from merchants.models import Merchant


@receiver(drift_found)
def _tell(merchant: Merchant, run: Reconciliation, counts: dict[str, int], **kwargs: Any) -> None:
    if not counts:
        close_incident(IncidentKind.DRIFT, merchant=merchant)
        return
    page = reverse("admin:integrations_reconciliation_change", args=[run.pk])
    figures = {"count": sum(counts.values()), "run": run.pk}
    raise_incident(IncidentKind.DRIFT, merchant=merchant, figures=figures, page=page)
