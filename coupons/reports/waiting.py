"""Coupons that wait for their customer's openid and run out soon: they will be lost unless somebody binds it."""

from datetime import date, timedelta

from django.db.models import QuerySet

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from coupons.reports.period import Period


def waiting(coupons: QuerySet[IssuedCoupon]) -> QuerySet[IssuedCoupon]:
    """Those of these coupons that are valid and wait for the customer's binding."""
    return coupons.filter(status=CouponStatus.ISSUED, delivery=Delivery.WAITING)


def days_ahead(today: date, days: int) -> Period:
    """So many days of which today is the first."""
    return Period(today, today + timedelta(days=days - 1))


def waiting_that_end(coupons: QuerySet[IssuedCoupon], period: Period) -> QuerySet[IssuedCoupon]:
    """Those that wait and whose last second lies in these days; found by an index of what waits."""
    return waiting(coupons).filter(valid_until__gte=period.start, valid_until__lt=period.end)
