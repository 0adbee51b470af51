"""Whom a run asks about, page by page: those at risk first, then the others, each in the order of their keys.

At risk are customers of whose coupons something is unsettled, failed, undelivered or flagged, or was redeemed without
a till's word, or has changed lately. They are noted when the run begins, so that nobody is asked about twice.
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from integrations.models import CustomerAtRisk, Reconciliation
from integrations.models.reconcile import RunMode, RunStage
from merchants.models import Customer

_NOTE_AT_RISK = """
INSERT INTO integrations_customeratrisk (run_id, customer_id)
SELECT DISTINCT %(run)s, coupon.customer_id
FROM coupons_issuedcoupon AS coupon
WHERE coupon.merchant_id = %(merchant)s
  AND (
    coupon.flag <> ''
    OR (coupon.status IN ('issued', 'redeeming') AND coupon.delivery <> 'delivered')
    OR coupon.status = 'redeeming'
    OR (coupon.status = 'redeemed' AND coupon.redeemed_through <> 'till')
    OR coupon.issued_at >= %(since)s
    OR coupon.delivered_at >= %(since)s
    OR coupon.redeemed_at >= %(since)s
    OR coupon.ended_at >= %(since)s
    OR EXISTS (
      SELECT 1 FROM integrations_outboxrow AS o
      WHERE o.coupon_id = coupon.id AND o.state IN ('queued', 'waiting', 'sending', 'dead'))
  )
ON CONFLICT DO NOTHING
"""


def note_at_risk(run: Reconciliation) -> None:
    """Note the customers at risk, and how many customers the run will ask about."""
    since = run.created_at - timedelta(hours=settings.RECONCILE_LATELY_HOURS)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_AT_RISK, {"run": run.pk, "merchant": run.merchant_id, "since": since})


def how_many(run: Reconciliation) -> int:
    """How many customers the run asks about."""
    if run.mode == RunMode.FULL:
        return Customer.objects.filter(merchant=run.merchant_id).count()
    return CustomerAtRisk.objects.filter(run=run).count()


def next_page(run: Reconciliation, stage: str, after: int) -> list[Customer]:
    """The next customers of a stage, beyond the key `after`; none when the stage is done."""
    return list(_of_stage(run, stage).filter(pk__gt=after).order_by("pk")[: settings.RECONCILE_PAGE])


def stage_after(run: Reconciliation, stage: str) -> RunStage | None:
    """The stage that follows; None when the run is done with it."""
    if stage == RunStage.PROMOTIONS:
        return RunStage.AT_RISK
    return RunStage.REST if stage == RunStage.AT_RISK and run.mode == RunMode.FULL else None


def _of_stage(run: Reconciliation, stage: str) -> QuerySet[Customer]:
    noted = Exists(CustomerAtRisk.objects.filter(run=run, customer=OuterRef("pk")))
    if stage == RunStage.AT_RISK:
        return Customer.objects.filter(pk__in=CustomerAtRisk.objects.filter(run=run).values("customer"))
    return Customer.objects.filter(~noted, merchant=run.merchant_id)
