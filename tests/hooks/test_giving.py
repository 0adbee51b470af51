"""A coupon-detail push (seed 000) gives one coupon to one customer, valid to the second it names."""

from datetime import datetime
from typing import Any

import pytest
from django.db.models import F

from coupons import templates
from coupons.choices import CouponStatus, Source
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind
from merchants.clock import SHANGHAI
from merchants.models import Customer, Merchant, SmartCouponAccount
from tests.factories import CouponTemplateFactory, CustomerFactory, MerchantFactory, published
from tests.hooks.helpers import address_of, create_push, give_push, last_push, made, post, refused, soon

pytestmark = pytest.mark.django_db


@pytest.fixture
def template(merchant: Merchant) -> CouponTemplate:
    """A template that is being issued."""
    return published(merchant=merchant)


@pytest.fixture
def push(platform: SmartCouponAccount, template: CouponTemplate) -> Any:
    """Give the template's coupon."""

    def give(coupon_id: Any = template.coupon_id, **changes: Any) -> Any:
        return post(address_of(platform, "coupon-detail"), give_push(coupon_id, **changes))

    return give


def given(response: Any) -> IssuedCoupon:
    """The coupon that the answer names."""
    body = response.json()
    assert response.status_code == 200, body
    assert list(body) == ["result"]
    assert list(body["result"]) == ["coupon_detail_id"]
    return IssuedCoupon.objects.get(code=body["result"]["coupon_detail_id"])


def test_the_coupon_is_the_customers_to_the_very_second(push: Any, platform: SmartCouponAccount) -> None:
    coupon = given(push(expiration_time="2099-05-01 13:14:15"))
    assert coupon.valid_until == datetime(2099, 5, 1, 13, 14, 15, tzinfo=SHANGHAI)
    assert (coupon.status, coupon.source, coupon.source_account) == (CouponStatus.ISSUED, Source.PUSH, platform)
    assert len(coupon.code) == 16
    assert [event.actor for event in coupon.events.all()[:1]] == ["push:maxfun"]


def test_the_coupon_goes_to_dfire_in_the_same_transaction(push: Any) -> None:
    coupon = given(push())
    assert OutboxRow.objects.get(coupon=coupon).kind == RowKind.DELIVER


def test_the_push_is_kept_with_its_answer(push: Any) -> None:
    coupon = given(push())
    record = last_push()
    assert (record.address, record.revision, record.status, record.coupon) == ("coupon-detail", 1, 200, coupon)
    assert record.answer == {"result": {"coupon_detail_id": coupon.code}}


@pytest.mark.parametrize(
    ("identifier", "kept", "mobile"),
    [
        ("13800138000", "13800138000", "13800138000"),
        (13800138000, "13800138000", "13800138000"),
        (" 13800138000\n", "13800138000", "13800138000"),
        ("23800138000", "23800138000", ""),
        ("138001380001", "138001380001", ""),
        ("１３８００１３８０００", "１３８００１３８０００", ""),
        ("o3Pm6uD6KVk", "o3Pm6uD6KVk", ""),
        (9223372036854775807, "9223372036854775807", ""),
        ("会员 7", "会员 7", ""),
    ],
)
def test_an_unknown_identifier_makes_a_customer(push: Any, identifier: Any, kept: str, mobile: str) -> None:
    customer = given(push(identifier=identifier)).customer
    assert (customer.identifier, customer.mobile, customer.openid) == (kept, mobile, "")


def test_a_known_identifier_finds_its_customer_unchanged(push: Any, merchant: Merchant) -> None:
    known = CustomerFactory(merchant=merchant, identifier="13800138000", mobile="13900139000", openid="o1")
    assert given(push()).customer == known
    known.refresh_from_db()
    assert known.mobile == "13900139000"


def test_a_bound_openid_finds_its_customer(push: Any, merchant: Merchant) -> None:
    known = CustomerFactory(merchant=merchant, openid="o3Pm6uD6KVk")
    assert given(push(identifier="o3Pm6uD6KVk")).customer == known


def test_another_merchants_customer_is_someone_else(push: Any) -> None:
    other = CustomerFactory(merchant=MerchantFactory(merchant_id="99"), identifier="13800138000")
    assert given(push()).customer != other
    assert Customer.objects.filter(identifier="13800138000").count() == 2


def test_the_coupons_id_may_come_as_a_number(push: Any, template: CouponTemplate) -> None:
    assert given(push(int(template.coupon_id), merchant_id=88)).template == template


def test_dfires_own_id_of_the_promotion_is_accepted(push: Any, template: CouponTemplate) -> None:
    template.versions.update(dfire_id="00084611eDearhM2QAL9dJkkivhGBz")
    assert given(push("00084611eDearhM2QAL9dJkkivhGBz")).template == template


def test_what_the_create_push_answered_can_be_given(platform: SmartCouponAccount, push: Any) -> None:
    answer = post(address_of(platform), create_push()).json()
    assert given(push(answer["result"]["coupon_id"])).template.title == "现金券"


def _over(template: CouponTemplate) -> None:
    CouponTemplate.objects.filter(pk=template.pk).update(start_date="2020-01-01", end_date="2020-01-02")


def _none_left(template: CouponTemplate) -> None:
    CouponTemplate.objects.filter(pk=template.pk).update(stock=F("issued_count"))


def _one_each(template: CouponTemplate) -> None:
    CouponTemplate.objects.filter(pk=template.pk).update(per_person_limit=1)


def _one_a_day(template: CouponTemplate) -> None:
    CouponTemplate.objects.filter(pk=template.pk).update(per_person_daily_limit=1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_none_left, "out_of_stock"),
        (_one_each, "per_person_limit"),
        (_one_a_day, "per_person_daily_limit"),
        (templates.pause, "template_not_published"),
        (templates.end, "template_not_published"),
        (_over, "template_over"),
    ],
)
def test_stock_limits_and_withdrawal_are_conflicts(push: Any, template: CouponTemplate, change: Any, code: str) -> None:
    given(push())
    change(template)
    before = made()
    status, told, message = refused(push(expiration_time=soon(days=3)))
    assert (status, told) == (409, code)
    assert message
    assert made() == before
    assert (last_push().status, last_push().answer["error"]["code"]) == (409, code)


def test_a_draft_is_not_given(push: Any, merchant: Merchant) -> None:
    draft = CouponTemplateFactory(merchant=merchant)
    assert refused(push(draft.coupon_id))[:2] == (409, "template_not_published")


def test_an_end_that_has_passed_is_bad_content_and_makes_no_customer(push: Any, template: CouponTemplate) -> None:
    _none_left(template)  # bad content is said first, whatever else stands against it
    before = made()
    for end in (soon(seconds=-2), soon(days=-1), "2016-05-01 23:59:59"):
        status, code, message = refused(push(expiration_time=end))
        assert (status, code) == (400, "expiration_passed")
        assert message.startswith("expiration_time: ")
    assert made() == before


@pytest.mark.parametrize("unknown", ["111", 111, "0", "x" * 64])
def test_an_unknown_coupon_is_not_found(push: Any, unknown: Any) -> None:
    before = made()
    status, code, message = refused(push(unknown))
    assert (status, code) == (404, "unknown_coupon")
    assert message.startswith("coupon_id: ")
    assert made() == before


def test_another_merchants_coupon_is_not_found(push: Any, platform: SmartCouponAccount) -> None:
    other = MerchantFactory(merchant_id="99")
    platform.merchants.add(other)
    assert refused(push(published(merchant=other).coupon_id))[:2] == (404, "unknown_coupon")
