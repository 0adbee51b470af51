"""The demo opens on a chain that has been at work for a month, and all of it is true."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import Sum
from django.utils import timezone

from config.demo.loading import Files, load
from coupons.choices import CouponStatus
from coupons.models import CouponEvent, CouponTemplate, DayFigures, IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from merchants.clock import local_day

pytestmark = pytest.mark.django_db


def test_a_month_has_passed_and_a_second_start_changes_nothing(tmp_path: Path) -> None:
    addresses = {"portal_url": "http://127.0.0.1:9", "sandbox_url": "http://127.0.0.1:9"}
    load(Files(tmp_path), **addresses)
    today = local_day(timezone.now())
    figures = DayFigures.objects.aggregate(issued=Sum("issued"), redeemed=Sum("redeemed"))
    count, redeemed = IssuedCoupon.objects.count(), IssuedCoupon.objects.filter(status=CouponStatus.REDEEMED)
    assert (figures["issued"], figures["redeemed"]) == (count, redeemed.count())
    assert count > 200
    assert redeemed.count() > count / 5
    days = {local_day(moment) for moment in IssuedCoupon.objects.values_list("issued_at", flat=True)}
    assert days == {today - timedelta(days=back) for back in range(1, 31)}
    for coupon in redeemed.prefetch_related("events"):
        assert coupon.issued_at < coupon.redeemed_at < timezone.now()
        moments = [event.at for event in coupon.events.order_by("id")]
        assert moments == sorted(moments)
    for template in CouponTemplate.objects.all():
        assert template.issued_count == template.coupons.count()
    # What is redeemed is told to nobody any more; what is open is on its way to dfire.
    on_its_way = OutboxRow.objects.filter(kind="deliver").exclude(state=RowState.CANCELLED)
    assert set(on_its_way.values_list("coupon", flat=True)) == set(
        IssuedCoupon.objects.filter(status=CouponStatus.ISSUED).values_list("pk", flat=True)
    )
    events = CouponEvent.objects.count()
    assert load(Files(tmp_path), **addresses) == []
    assert (IssuedCoupon.objects.count(), CouponEvent.objects.count()) == (count, events)
