"""After the database was restored from an older dump: every merchant is compared with dfire from the beginning.

What the dump does not know - coupons issued, redeemed, revoked or given on since it was taken - is found so.
"""

from contextlib import suppress

from integrations.models import Reconciliation
from integrations.models.reconcile import RunMode, RunStage, RunState
from integrations.reconcile import runs
from merchants.models import Merchant


def compare_all() -> int:
    """Begin a full comparison of every merchant at dfire, in place of one that had got somewhere in the dump.

    Returns:
        How many were begun; one that has not asked anything yet is left to do it.
    """
    begun = 0
    for merchant in Merchant.objects.filter(dfire_account__isnull=False).order_by("pk").iterator():
        if not Reconciliation.objects.filter(
            merchant=merchant, state=RunState.RUNNING, mode=RunMode.FULL, stage=RunStage.PROMOTIONS
        ).exists():
            begun += _begin(merchant)
    return begun


def _begin(merchant: Merchant) -> bool:
    for running in Reconciliation.objects.filter(merchant=merchant, state=RunState.RUNNING):
        with suppress(runs.RunRefused):  # it has come to its end meanwhile
            runs.cancel(running)
    try:
        runs.start(merchant, RunMode.FULL)
    except runs.RunRefused:
        return False
    return True
