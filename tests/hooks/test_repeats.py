"""The same push again within the account's window gets the first answer and creates nothing (PROTOCOLS §2)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from coupons import templates
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import Push, PushAnswer
from merchants.models import Customer, Merchant, SmartCouponAccount
from tests.factories import SmartCouponAccountFactory, published
from tests.hooks.helpers import ABSENT, address_of, create_push, give_push, last_push, made, post, refused, soon

pytestmark = pytest.mark.django_db


def answered_ago(**ago: float) -> None:
    """Move every first answer into the past."""
    PushAnswer.objects.update(answered_at=timezone.now() - timedelta(**ago))


def test_a_repeat_of_a_coupon_gets_the_first_answer(platform: SmartCouponAccount) -> None:
    push = create_push()
    first = post(address_of(platform), push)
    before = made()
    again = post(address_of(platform), push)
    assert (again.status_code, again.content) == (200, first.content)
    assert made() == before
    assert [(kept.status, kept.repeated) for kept in Push.objects.order_by("id")] == [(200, False), (200, True)]


def test_a_repeat_of_a_coupon_detail_gets_the_first_answer(platform: SmartCouponAccount, merchant: Merchant) -> None:
    push = give_push(published(merchant=merchant).coupon_id)
    url = address_of(platform, "coupon-detail")
    first = post(url, push)
    before = made()
    assert post(url, push).content == first.content
    assert made() == before


SAME_COUPON: list[dict[str, Any]] = [
    {"coupon_amount": 10.0},
    {"min_buy_price": ABSENT},
    {"min_buy_price": None},
    {"min_buy_price": -0.0},
    {"coupon_type": 0.0},
    {"merchant_id": 88},
    {"coupon_name": " 现金券 "},
    {"something_else": "x"},
    {"expiration_interval": 99},
]
OTHER_COUPON: list[dict[str, Any]] = [
    {"coupon_amount": 11},
    {"min_buy_price": 0.01},
    {"coupon_type": 1, "coupon_amount": 9},
    {"coupon_name": "现金劵"},
    {"expiration_type": 2},
]


@pytest.mark.parametrize("change", SAME_COUPON)
def test_the_same_is_decided_after_normalising(platform: SmartCouponAccount, change: dict[str, Any]) -> None:
    push = create_push()
    first = post(address_of(platform), push)
    again = {name: value for name, value in {**push, **change}.items() if value is not ABSENT}
    assert post(address_of(platform), again).content == first.content
    assert CouponTemplate.objects.count() == 1


@pytest.mark.parametrize("number", [b"10", b"10.0", b"1e1", b"1E+1", b"100e-1", b"10.000000000000000000000000000000"])
def test_ten_is_ten_however_it_is_written(platform: SmartCouponAccount, number: bytes) -> None:
    body = json.dumps(create_push(coupon_amount="@")).encode()
    first = post(address_of(platform), body.replace(b'"@"', b"10"))
    assert post(address_of(platform), body.replace(b'"@"', number)).content == first.content


@pytest.mark.parametrize("change", OTHER_COUPON)
def test_another_content_is_another_push(platform: SmartCouponAccount, change: dict[str, Any]) -> None:
    push = create_push()
    first = post(address_of(platform), push)
    other = post(address_of(platform), {**push, **change})
    assert other.status_code == 200
    assert other.content != first.content


def test_another_end_is_another_push(platform: SmartCouponAccount, merchant: Merchant) -> None:
    coupon_id, url = published(merchant=merchant).coupon_id, address_of(platform, "coupon-detail")
    for end in ("2099-05-01 10:00:00", "2099-05-01 10:00:01"):
        assert post(url, give_push(coupon_id, expiration_time=end)).status_code == 200
    assert IssuedCoupon.objects.count() == 2
    assert Customer.objects.count() == 1


def test_another_account_is_not_the_same(platform: SmartCouponAccount, merchant: Merchant) -> None:
    other = SmartCouponAccountFactory()
    other.merchants.add(merchant)
    push = create_push()
    assert post(address_of(platform), push).json() != post(address_of(other), push).json()


def test_another_address_is_not_the_same(platform: SmartCouponAccount, merchant: Merchant) -> None:
    push = {**create_push(), **give_push(published(merchant=merchant).coupon_id)}
    assert list(post(address_of(platform), push).json()["result"]) == ["coupon_id"]
    assert list(post(address_of(platform, "coupon-detail"), push).json()["result"]) == ["coupon_detail_id"]


@pytest.mark.parametrize(
    ("window", "ago", "same"), [(600, 595, True), (600, 600, False), (600, 3600, False), (5, 5, False)]
)
def test_the_window_is_counted_from_the_first_answer(
    platform: SmartCouponAccount, window: int, ago: int, same: bool
) -> None:
    SmartCouponAccount.objects.update(repeat_window_seconds=window)
    push = create_push()
    first = post(address_of(platform), push)
    answered_ago(seconds=ago)
    again = post(address_of(platform), push)
    assert again.status_code == 200
    assert (again.content == first.content) is same
    assert CouponTemplate.objects.count() == (1 if same else 2)


def test_a_repeat_does_not_make_the_window_longer(platform: SmartCouponAccount) -> None:
    push = create_push()
    post(address_of(platform), push)
    answered_ago(seconds=500)
    post(address_of(platform), push)
    PushAnswer.objects.update(answered_at=F("answered_at") - timedelta(seconds=100))
    post(address_of(platform), push)
    assert CouponTemplate.objects.count() == 2


def test_after_the_window_the_new_answer_is_the_one_that_is_repeated(platform: SmartCouponAccount) -> None:
    push = create_push()
    first = post(address_of(platform), push)
    answered_ago(hours=1)
    second = post(address_of(platform), push)
    assert second.content != first.content
    assert post(address_of(platform), push).content == second.content


def test_after_the_window_the_same_customer_gets_another_one(platform: SmartCouponAccount, merchant: Merchant) -> None:
    push, url = give_push(published(merchant=merchant).coupon_id), address_of(platform, "coupon-detail")
    first = post(url, push)
    answered_ago(seconds=600)
    second = post(url, push)
    assert (second.status_code, second.content == first.content) == (200, False)
    assert (IssuedCoupon.objects.count(), Customer.objects.count()) == (2, 1)


def test_without_a_window_nothing_is_a_repeat(platform: SmartCouponAccount) -> None:
    SmartCouponAccount.objects.update(repeat_window_seconds=0)
    push = create_push()
    post(address_of(platform), push)
    PushAnswer.objects.update(answered_at=timezone.now() + timedelta(seconds=1))  # another server's clock
    post(address_of(platform), push)
    assert CouponTemplate.objects.count() == 2


def test_a_refusal_is_not_remembered(platform: SmartCouponAccount, merchant: Merchant) -> None:
    template = published(merchant=merchant)
    templates.pause(template)
    push, url = give_push(template.coupon_id), address_of(platform, "coupon-detail")
    assert refused(post(url, push))[:2] == (409, "template_not_published")
    assert not PushAnswer.objects.exists()
    templates.publish(template)
    assert post(url, push).status_code == 200


def test_a_refusal_after_the_window_keeps_the_first_answer_as_it_was(
    platform: SmartCouponAccount, merchant: Merchant
) -> None:
    template = published(merchant=merchant)
    push, url = give_push(template.coupon_id), address_of(platform, "coupon-detail")
    post(url, push)
    answered_ago(hours=1)
    kept = PushAnswer.objects.values().get()
    templates.end(template)
    assert refused(post(url, push))[0] == 409
    assert PushAnswer.objects.values().get() == kept


def test_a_repeat_is_answered_though_the_coupon_could_not_be_given_any_more(
    platform: SmartCouponAccount, merchant: Merchant
) -> None:
    template = published(merchant=merchant, stock=1)
    push, url = give_push(template.coupon_id, expiration_time=soon(days=2)), address_of(platform, "coupon-detail")
    first = post(url, push)
    templates.end(template)
    assert post(url, push).content == first.content
    assert last_push().repeated
