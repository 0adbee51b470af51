"""Putting reports down: in the transaction of the redemption, and for redemptions that have none, by a sweep.

The sweep goes through an account's redeemed coupons in the order of their ids, so many at a time, again and again: it
finds what was redeemed before the account had an address to report to, and what an older release left.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import receiver
from django.utils import timezone

from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from coupons.signals import coupons_redeemed
from integrations.models import ConsumeReport, ReportLane
from integrations.outbox import doorbell
from merchants.models import SmartCouponAccount

REPORT_TASK = "integrations.tasks.send_reports"


def reporting_accounts() -> QuerySet[SmartCouponAccount]:
    """The accounts that want reports: they have an address and credentials for it."""
    return SmartCouponAccount.objects.exclude(Q(consume_base_url="") | Q(app_id="") | Q(app_secret=""))  # nosec B106 # none


@receiver(coupons_redeemed)
def _report_redeemed(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    accounts = {coupon.source_account_id for coupon in coupons if coupon.source_account_id is not None}
    if accounts:
        wanted = set(reporting_accounts().filter(pk__in=accounts).values_list("pk", flat=True))
        _write((coupon.pk, coupon.source_account_id) for coupon in coupons if coupon.source_account_id in wanted)


def write_missing() -> int:
    """Write what is missing among the next coupons of each account. Returns how many reports were written."""
    return sum(_write_missing_of(account) for account in reporting_accounts().order_by("pk"))


@transaction.atomic
def _write_missing_of(account: SmartCouponAccount) -> int:
    ReportLane.objects.get_or_create(account=account)
    lane = ReportLane.objects.select_for_update(no_key=True, of=("self",)).get(account=account)
    redeemed = IssuedCoupon.objects.filter(source_account=account, status=CouponStatus.REDEEMED)
    most = settings.CONSUME_MISSING_A_SWEEP
    looked = list(redeemed.filter(pk__gt=lane.swept_to).order_by("pk").values_list("pk", flat=True)[:most])
    known = set(ConsumeReport.objects.filter(coupon__in=looked).values_list("coupon_id", flat=True))
    missing = [pk for pk in looked if pk not in known]
    lane.swept_to = looked[-1] if len(looked) == most else 0
    lane.save(update_fields=["swept_to"])
    _write((pk, account.pk) for pk in missing)
    return len(missing)


def _write(reports: Iterable[tuple[int, int | None]]) -> None:
    """Store one report for each coupon and account; one that there is stays as it is."""
    now = timezone.now()
    rows = [
        ConsumeReport(coupon_id=coupon_id, account_id=account_id, available_at=now)
        for coupon_id, account_id in reports
        if account_id is not None
    ]
    if rows:
        ConsumeReport.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(lambda: doorbell.ring(REPORT_TASK), robust=True)
