"""What nears its end: templates by stock and budget, coupons that wait for an openid and run out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from coupons.choices import Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from coupons.reports import days_ahead, near_limits, nearest_limits, waiting, waiting_that_end
from merchants.clock import day_end, local_day
from tests.factories import CouponTemplateFactory, CustomerFactory, issued, published

pytestmark = pytest.mark.django_db


def given(template: CouponTemplate, **counted: int) -> CouponTemplate:
    CouponTemplate.objects.filter(pk=template.pk).update(**counted)
    return template


@pytest.mark.parametrize(
    ("limits", "used", "percents"),
    [
        ({"stock": 10}, {"issued_count": 8}, (80, None)),
        ({"stock": 10}, {"issued_count": 7}, None),
        ({"stock": 3}, {"issued_count": 3}, (100, None)),
        ({"stock": 99}, {"issued_count": 80}, (80, None)),
        ({"stock": 99}, {"issued_count": 79}, None),
        ({"stock": 0}, {"issued_count": 0}, (100, None)),
        ({"budget_fen": 100_000}, {"committed_fen": 95_000}, (None, 95)),
        ({"budget_fen": 100_000}, {"committed_fen": 79_999}, None),
        ({"budget_fen": 100_000, "stock": 100}, {"committed_fen": 1000, "issued_count": 90}, (90, 1)),
        ({}, {"issued_count": 500, "committed_fen": 500_000}, None),
    ],
)
def test_from_four_fifths_on_a_limit_is_near(
    limits: dict[str, int], used: dict[str, int], percents: tuple[int | None, int | None] | None
) -> None:
    given(published(**limits), **used)
    found = nearest_limits(CouponTemplate.objects.all(), local_day(timezone.now()))
    assert [(near.stock_percent, near.budget_percent) for near in found] == ([percents] if percents else [])


def test_what_is_nearest_stands_first_and_what_is_over_nowhere() -> None:
    today = local_day(timezone.now())
    given(published(stock=100, title="second"), issued_count=85)
    given(published(budget_fen=100_000, title="first"), committed_fen=99_000)
    given(published(stock=100, title="ended"), issued_count=100, status="ended")
    given(CouponTemplateFactory(stock=100, title="draft"), issued_count=100)
    over = given(published(stock=100, title="over"), issued_count=100)
    CouponTemplate.objects.filter(pk=over.pk).update(start_date=today - timedelta(days=9), end_date=today)
    found = nearest_limits(CouponTemplate.objects.all(), today + timedelta(days=1))
    assert [near.template.title for near in found] == ["first", "second"]
    assert near_limits(CouponTemplate.objects.all(), today).count() == 3


def test_what_waits_is_counted_by_the_day_of_its_last_second() -> None:
    template = published()
    today = local_day(timezone.now())
    for days in (0, 2, 3, 6, 7):
        coupon = issued(template, CustomerFactory(merchant=template.merchant, openid=""))
        IssuedCoupon.objects.filter(pk=coupon.pk).update(
            delivery=Delivery.WAITING, valid_until=day_end(today + timedelta(days=days))
        )
    issued(template)
    rows = IssuedCoupon.objects.all()
    assert waiting(rows).count() == 5
    assert waiting_that_end(rows, days_ahead(today, 3)).count() == 2
    assert waiting_that_end(rows, days_ahead(today, 7)).count() == 4
