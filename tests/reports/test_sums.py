"""Reports agree with the table of coupons, whatever has become of them, at the edges of days and between merchants."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from coupons import figures, lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from coupons.reports import Figures, Period, by_day, in_buckets, top_templates, totals
from merchants.clock import day_start, local_day
from merchants.models import Merchant
from tests.factories import CustomerFactory, issued, published

pytestmark = pytest.mark.django_db


def today() -> Period:
    return Period.day(local_day(timezone.now()))


def redeem(coupon: IssuedCoupon, **told: Any) -> None:
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], **{"at": timezone.now(), **told})


def moved(coupon: IssuedCoupon, **moments: datetime) -> None:
    """As if it had been at another time."""
    IssuedCoupon.objects.filter(pk=coupon.pk).update(**moments)


def all_fates(template: CouponTemplate) -> None:
    """Coupons that wait, failed, were redeemed with and without a bill, revoked and expired."""
    told, silent, revoked, expired, waiting, failed = (issued(template) for _ in range(6))
    issued(template, CustomerFactory(merchant=template.merchant, openid=""))
    redeem(told, saved_fen=900, paid_fen=4100)
    redeem(silent)
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([revoked.pk])[0], reason="x", actor="staff:test")
    with transaction.atomic():
        lifecycle.mark_delivery(lifecycle.lock([waiting.pk])[0], Delivery.WAITING)
        lifecycle.mark_delivery(lifecycle.lock([failed.pk])[0], Delivery.FAILED)
    gone = timezone.now() - timedelta(seconds=1)
    moved(expired, valid_from=gone, valid_until=gone)
    lifecycle.expire_due()


def counted(merchant: Merchant, period: Period) -> Figures:
    """The same figures from the coupons themselves."""
    own = IssuedCoupon.objects.filter(merchant=merchant)
    issued_then = own.filter(issued_at__gte=period.start, issued_at__lt=period.end)
    redeemed_then = own.filter(redeemed_at__gte=period.start, redeemed_at__lt=period.end)
    saved = [coupon.saved_fen for coupon in redeemed_then if coupon.saved_fen is not None]
    paid = [coupon.paid_fen for coupon in redeemed_then if coupon.paid_fen is not None]
    return Figures(
        issued=issued_then.count(),
        delivered=issued_then.filter(delivery=Delivery.DELIVERED).count(),
        used=issued_then.filter(status=CouponStatus.REDEEMED).count(),
        revoked=issued_then.filter(status=CouponStatus.REVOKED).count(),
        expired=issued_then.filter(status=CouponStatus.EXPIRED).count(),
        redeemed=redeemed_then.count(),
        saved_fen=sum(saved), saved_known=len(saved), paid_fen=sum(paid), paid_known=len(paid),
        spent_fen=sum((coupon.saved_fen or coupon.cost_fen or 0) for coupon in redeemed_then),
    )  # fmt: skip


@pytest.mark.parametrize("merged", [False, True])
def test_totals_are_those_of_the_coupons(merged: bool) -> None:
    template = published()
    all_fates(template)
    all_fates(published(title="another"))
    if merged:
        figures.merge()
    found = totals([template.merchant_id], today())
    assert found == counted(template.merchant, today())
    assert (found.issued, found.redeemed, found.revoked, found.expired) == (7, 2, 1, 1)
    assert (found.saved_fen, found.saved_known, found.paid_fen, found.paid_known) == (900, 1, 4100, 1)


def test_no_merchants_have_no_figures() -> None:
    all_fates(published())
    assert totals([], today()).nothing
    assert totals(Merchant.objects.none(), today()) == Figures()
    assert top_templates([], today(), limit=5) == []


def test_merchants_may_be_given_as_a_query() -> None:
    all_fates(published())
    all_fates(published())
    assert totals(Merchant.objects.all(), today()).issued == 14


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    template = published()
    before, at, late = (issued(template) for _ in range(3))
    midnight = day_start(local_day(timezone.now()))
    redeem(late)
    moved(before, issued_at=midnight - timedelta(microseconds=1))
    moved(at, issued_at=midnight)
    moved(late, issued_at=midnight - timedelta(days=9), redeemed_at=midnight - timedelta(microseconds=1))
    of = [template.merchant_id]
    day, yesterday = today(), Period.day(midnight.date() - timedelta(days=1))
    assert (totals(of, day).issued, totals(of, day).redeemed) == (1, 0)
    assert (totals(of, yesterday).issued, totals(of, yesterday).redeemed) == (1, 1)
    for period in (day, yesterday, Period.until(day.last, 10)):
        assert totals(of, period) == counted(template.merchant, period)


def test_the_rate_is_of_the_coupons_issued_in_the_period() -> None:
    template = published()
    old, new, _unused = (issued(template) for _ in range(3))
    redeem(old)
    redeem(new)
    moved(old, issued_at=timezone.now() - timedelta(days=5))
    found = totals([template.merchant_id], today())
    assert (found.issued, found.redeemed, found.rate) == (2, 2, 0.5)
    assert Figures(redeemed=3).rate is None


def test_bars_hold_all_that_the_days_hold() -> None:
    template = published()
    for days in (0, 3, 40, 41, 100):
        moved(issued(template), issued_at=timezone.now() - timedelta(days=days))
    period = Period.until(today().last, 90)
    days_found = by_day([template.merchant_id], period)
    assert [figures.issued for figures in days_found.values()] == [1, 1, 1, 1]
    bars = in_buckets(days_found, period.buckets())
    assert len(bars) == len(period.buckets())
    assert sum(bar.issued for bar in bars) == totals([template.merchant_id], period).issued == 4
    assert bars[-1].issued >= 1


def test_the_most_redeemed_templates_stand_first_and_idle_ones_nowhere() -> None:
    template = published(title="much issued")
    merchant = template.merchant
    best, idle = published(merchant=merchant, title="best"), published(merchant=merchant, title="idle")
    for _ in range(3):
        issued(template)
    for _ in range(2):
        redeem(issued(best))
    redeem(issued(published(title="another merchant's")))
    moved(issued(idle), issued_at=timezone.now() - timedelta(days=2))
    found = top_templates([merchant.pk], today(), limit=5)
    assert [(top.template.title, top.figures.issued, top.figures.redeemed) for top in found] == [
        ("best", 2, 2), ("much issued", 3, 0),
    ]  # fmt: skip
    assert len(top_templates([merchant.pk], today(), limit=1)) == 1


@pytest.mark.parametrize("merged", ["nothing", "half", "all"])
def test_templates_over_any_days_are_summed_as_their_coupons_are(merged: str) -> None:
    """Whole weeks come from rolled sums, cut ones from days: no day is lost or counted twice."""
    first, second = published(), published()  # each of a merchant of its own
    start = day_start(local_day(timezone.now()))
    for number in range(24):
        coupon = issued(first if number % 3 else second)
        if number % 2:
            redeem(coupon, saved_fen=number)
        moment = start - timedelta(days=number)
        moved(coupon, issued_at=moment, **({"redeemed_at": moment} if number % 2 else {}))
        if merged == "all" or (merged == "half" and number == 12):
            figures.merge()
    merchants = [first.merchant_id, second.merchant_id]
    last = local_day(timezone.now())
    for days in (*range(1, 9), 13, 14, 15, 24):
        for back in range(7):
            period = Period.until(last - timedelta(days=back), days)
            of_days, of_templates = by_day(merchants, period), top_templates(merchants, period, limit=5)
            assert sum(of_days.values(), Figures()) == sum((top.figures for top in of_templates), Figures())
            for top in of_templates:
                assert top.figures == counted(top.template.merchant, period)
