"""Pushes at the same moment, with real threads and real transactions."""

from typing import Any

import pytest
from django.test import override_settings

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import Push
from merchants.models import Customer, Merchant, SmartCouponAccount
from tests.factories import published
from tests.hooks.helpers import address_of, create_push, give_push, post, soon

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_rate_limit")]
MANY = 20


@pytest.fixture
def no_rate_limit() -> Any:
    """Twenty at once are meant."""
    with override_settings(HOOK_RATE_LIMIT=0):
        yield


def test_twenty_equal_pushes_make_one_template(platform: SmartCouponAccount, at_once: Any) -> None:
    push = create_push()
    answers = at_once([lambda: post(address_of(platform), push)] * MANY)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert CouponTemplate.objects.count() == 1
    assert sorted(Push.objects.values_list("repeated", flat=True)) == [False] + [True] * (MANY - 1)


def test_twenty_equal_pushes_give_one_coupon(platform: SmartCouponAccount, merchant: Merchant, at_once: Any) -> None:
    push = give_push(published(merchant=merchant).coupon_id)
    answers = at_once([lambda: post(address_of(platform, "coupon-detail"), push)] * MANY)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert IssuedCoupon.objects.count() == 1
    assert Customer.objects.count() == 1


def test_equal_pushes_of_which_the_first_is_refused_are_all_refused(
    platform: SmartCouponAccount, merchant: Merchant, at_once: Any
) -> None:
    push = give_push(published(merchant=merchant, stock=0).coupon_id)
    answers = at_once([lambda: post(address_of(platform, "coupon-detail"), push)] * 8)
    assert {answer.status_code for answer in answers} == {409}
    assert not IssuedCoupon.objects.exists()
    assert not Customer.objects.exists()


def test_one_new_customer_of_many_pushes_is_made_once(
    platform: SmartCouponAccount, merchant: Merchant, at_once: Any
) -> None:
    ids = [published(merchant=merchant).coupon_id for _ in range(8)]
    url = address_of(platform, "coupon-detail")
    answers = at_once([lambda i=i: post(url, give_push(i)) for i in ids])
    assert {answer.status_code for answer in answers} == {200}
    assert Customer.objects.count() == 1
    assert IssuedCoupon.objects.count() == 8


def test_stock_is_never_exceeded(platform: SmartCouponAccount, merchant: Merchant, at_once: Any) -> None:
    template = published(merchant=merchant, stock=5)
    url = address_of(platform, "coupon-detail")
    end = soon()
    answers = at_once(
        [
            lambda i=i: post(url, give_push(template.coupon_id, identifier=f"138{i:08d}", expiration_time=end))
            for i in range(MANY)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 15
    assert IssuedCoupon.objects.count() == 5
    assert Customer.objects.count() == 5


def test_one_per_person_means_one(platform: SmartCouponAccount, merchant: Merchant, at_once: Any) -> None:
    template = published(merchant=merchant, per_person_limit=1)
    url = address_of(platform, "coupon-detail")
    answers = at_once(
        [
            lambda i=i: post(url, give_push(template.coupon_id, expiration_time=f"2099-05-01 10:00:{i:02d}"))
            for i in range(10)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
