"""Revisions 2 and 3 at the same two addresses: known by their fields, answered in their own forms (PROTOCOLS §2)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.smart_coupon.revisions import revision_of
from merchants.clock import local_day
from merchants.models import Customer, SmartCouponAccount
from tests.hooks.helpers import (
    ABSENT,
    address_of,
    create_push,
    give_push,
    in_shanghai,
    last_push,
    made,
    post,
    soon,
)
from tests.hooks.revisions import campaign, grant, made_id

pytestmark = pytest.mark.django_db
LATER = pytest.mark.parametrize("revision", [2, 3])


def created(platform: SmartCouponAccount, revision: int, **changes: Any) -> CouponTemplate:
    response = post(address_of(platform), campaign(revision, **changes))
    assert response.status_code == 200, response.content
    return CouponTemplate.objects.get(coupon_id=made_id(response.json(), "campaign_id"))


def given(platform: SmartCouponAccount, template: CouponTemplate, revision: int, **changes: Any) -> Any:
    return post(address_of(platform, "coupon-detail"), grant(template.coupon_id, revision, **changes))


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (create_push(), 1), (give_push("1"), 1), ({}, 1), ({"unknown": 1}, 1),
        (campaign(2), 2), (grant("1", 2), 2), ({"data_signature": "x"}, 2),
        (campaign(3), 3), (grant("1", 3), 3), ({**campaign(2), "signature_time": "1"}, 3),
        ({**create_push(), "campaign_name": None, "data_signature": None}, 1),
        ({**campaign(2), "signature_time": None}, 2),
    ],
)  # fmt: skip
def test_a_push_is_of_the_newest_revision_whose_fields_it_has(body: dict[str, Any], number: int) -> None:
    assert revision_of(body).number == number


def test_each_revision_answers_in_its_own_form(platform: SmartCouponAccount) -> None:
    second = post(address_of(platform), campaign(2)).json()
    third = post(address_of(platform), campaign(3)).json()
    assert list(second) == ["result"]
    assert list(second["result"]) == ["campaign_id"]
    assert list(third) == ["return_code", "return_msg", "campaign_id"]
    assert (third["return_code"], third["return_msg"]) == ("success", "")
    detail = post(address_of(platform, "coupon-detail"), grant(made_id(second, "campaign_id"), 2)).json()
    assert list(detail["result"]) == ["coupon_id"]
    detail = post(address_of(platform, "coupon-detail"), grant(third["campaign_id"], 3)).json()
    assert list(detail) == ["return_code", "return_msg", "coupon_id"]
    assert IssuedCoupon.objects.count() == 2
    assert last_push().revision == 3


@LATER
def test_a_refusal_has_the_revisions_form_and_nothing_that_looks_like_success(
    platform: SmartCouponAccount, revision: int
) -> None:
    before = made()
    response = post(address_of(platform), campaign(revision, coupon_amount=0.5))
    body = response.json()
    assert response.status_code == 400
    if revision == 2:
        assert list(body) == ["error"]
        assert body["error"]["message"].startswith("coupon_amount: ")
    else:
        assert list(body) == ["return_code", "return_msg"]
        assert body["return_code"] == "fail"
        assert body["return_msg"].startswith("coupon_amount: ")
    assert made() == before


@pytest.mark.parametrize("address", ["/hooks/smart-coupon/nobody/coupon/", None], ids=["token", "caller"])
@LATER
def test_a_refusal_of_the_caller_has_the_revisions_form_too(
    platform: SmartCouponAccount, revision: int, address: str | None
) -> None:
    SmartCouponAccount.objects.update(allowed_addresses=["192.0.2.1"])
    response = post(address or address_of(platform), campaign(revision))
    assert response.status_code == (404 if address else 403)
    assert list(response.json()) == (["error"] if revision == 2 else ["return_code", "return_msg"])
    assert list(post(address or address_of(platform), b"no JSON").json()) == ["error"]


def test_the_same_push_in_another_revision_is_answered_in_its_own_form(platform: SmartCouponAccount) -> None:
    end = soon(days=3)
    coupon_id = created(platform, 2).coupon_id
    bare = {"coupon_type": ABSENT, "coupon_amount": ABSENT, "min_purchase_price": ABSENT, "expiration_time": end}
    url = address_of(platform, "coupon-detail")
    first = post(url, give_push(coupon_id, expiration_time=end)).json()["result"]["coupon_detail_id"]
    assert post(url, grant(coupon_id, 2, **bare)).json() == {"result": {"coupon_id": first}}
    answer = post(url, grant(coupon_id, 3, **bare))
    assert answer.content.decode() == f'{{"return_code": "success", "return_msg": "", "coupon_id": "{first}"}}'
    assert last_push().answer == answer.json()
    assert IssuedCoupon.objects.count() == 1


@LATER
def test_a_campaign_becomes_a_template_with_its_window_stock_and_notice(
    platform: SmartCouponAccount, revision: int
) -> None:
    template = created(platform, revision)
    today = local_day(timezone.now())
    assert (template.start_date, template.end_date) == (today - timedelta(days=1), today + timedelta(days=10))
    assert (template.stock, template.valid_days) == (100, 15)
    assert (template.amount_fen, template.min_spend_fen) == (1000, 5000)
    assert template.notice == ("" if revision == 2 else "请提前预约")


def test_a_limit_of_nought_is_no_limit_and_the_day_of_an_end_at_midnight_is_the_day_before(
    platform: SmartCouponAccount,
) -> None:
    midnight = (timezone.now() + timedelta(days=5)).date()
    template = created(platform, 2, coupon_limit=0, campaign_end_time=f"{midnight} 00:00:00")
    assert (template.stock, template.end_date) == (None, midnight - timedelta(days=1))


def test_without_days_a_coupon_is_valid_to_the_campaigns_end(platform: SmartCouponAccount) -> None:
    assert created(platform, 3, expiration_interval=ABSENT).valid_days is None


@LATER
def test_a_detail_gives_the_coupon_to_the_second_it_says(platform: SmartCouponAccount, revision: int) -> None:
    template = created(platform, revision)
    end = soon(days=3)
    assert given(platform, template, revision, expiration_time=end).status_code == 200
    assert in_shanghai(IssuedCoupon.objects.get().valid_until) == end
    assert Customer.objects.get().mobile == "13800138000"


@LATER
@pytest.mark.parametrize(
    ("field", "told", "words"),
    [
        ("coupon_amount", 12, "12 here, 10 there"),
        ("min_purchase_price", 0, "0 here, 50 there"),
        ("coupon_type", 1, "discount here, cash there"),
    ],
)
def test_a_detail_that_says_otherwise_than_its_campaign_is_refused_and_names_the_difference(
    platform: SmartCouponAccount, revision: int, field: str, told: int, words: str
) -> None:
    template = created(platform, revision)
    before = made()
    changes = {field: told, **({"coupon_amount": 7.5} if field == "coupon_type" else {})}
    response = given(platform, template, revision, **changes)
    said = response.json().get("return_msg") or response.json()["error"]["message"]
    assert (response.status_code, said) == (400, f"{field}: differs from the campaign's: {words}.")
    assert made() == before


@LATER
def test_an_amount_without_its_type_is_held_against_the_campaign_too(
    platform: SmartCouponAccount, revision: int
) -> None:
    cash, discount = created(platform, revision), created(platform, revision, coupon_type=1, coupon_amount=7.5)
    for template, right, wrong in ((cash, 10.0, 99), (discount, 7.50, 8)):
        response = given(platform, template, revision, coupon_type=ABSENT, coupon_amount=wrong)
        said = response.json().get("return_msg") or response.json()["error"]["message"]
        words = f"coupon_amount: differs from the campaign's: {wrong} here, {right:g} there."
        assert (response.status_code, said) == (400, words)
        assert given(platform, template, revision, coupon_type=ABSENT, coupon_amount=right).status_code == 200


def test_the_platforms_numbers_may_be_written_either_way(platform: SmartCouponAccount) -> None:
    template = created(platform, 2, coupon_amount=10.0, coupon_limit=100.0)
    assert given(platform, template, 2, coupon_amount=10.00, min_purchase_price=50.0).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"campaign_end_time": ABSENT}, "campaign_end_time"),
        ({"campaign_start_time": "2026-1-1"}, "campaign_start_time"),
        ({"campaign_start_time": soon(days=20)}, "campaign_end_time"),
        ({"campaign_end_time": in_shanghai(timezone.now() - timedelta(hours=1))}, "campaign_end_time"),
        ({"coupon_limit": -1}, "coupon_limit"),
        ({"coupon_limit": 1.5}, "coupon_limit"),
        ({"expiration_interval": 0}, "expiration_interval"),
        ({"campaign_notice": 5}, "campaign_notice"),
        ({"campaign_notice": "长" * 1001}, "campaign_notice"),
        ({"campaign_name": ""}, "campaign_name"),
    ],
)
def test_a_field_that_cannot_be_is_named(platform: SmartCouponAccount, changes: dict[str, Any], field: str) -> None:
    before = made()
    response = post(address_of(platform), campaign(3, **changes))
    assert response.status_code == 400
    assert response.json()["return_msg"].startswith(f"{field}: ")
    assert made() == before


def test_when_the_stock_of_a_campaign_is_gone_it_is_a_conflict(platform: SmartCouponAccount) -> None:
    template = created(platform, 2, coupon_limit=1)
    assert given(platform, template, 2).status_code == 200
    response = given(platform, template, 2, identifier="13900139000")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "out_of_stock")


@LATER
def test_the_same_push_again_gets_the_first_answer(platform: SmartCouponAccount, revision: int) -> None:
    template = created(platform, revision)
    end = soon(days=3)
    first = given(platform, template, revision, expiration_time=end).json()
    assert given(platform, template, revision, expiration_time=end).json() == first
    assert given(platform, template, revision, expiration_time=soon(days=4)).json() != first
    assert IssuedCoupon.objects.count() == 2


def test_two_rules_of_one_second_are_one_push_in_revision_1(platform: SmartCouponAccount) -> None:
    """Nothing in it says which rule it is of, so it cannot be told from a repeat."""
    coupon_id = post(address_of(platform), create_push()).json()["result"]["coupon_id"]
    push = give_push(coupon_id)
    answers = [post(address_of(platform, "coupon-detail"), push).json() for _rule in range(2)]
    assert answers[0] == answers[1]
    assert IssuedCoupon.objects.count() == 1


@LATER
def test_two_rules_of_one_second_are_told_apart_by_their_campaigns(platform: SmartCouponAccount, revision: int) -> None:
    name = "coupon_name" if revision == 2 else "campaign_name"
    rules = [created(platform, revision, **{name: f"满50减10（规则{number}）"}) for number in range(2)]
    end = soon(days=3)
    answers = [given(platform, template, revision, expiration_time=end) for template in rules]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert set(IssuedCoupon.objects.values_list("template", flat=True)) == {template.pk for template in rules}


def test_an_unknown_campaign_is_404(platform: SmartCouponAccount) -> None:
    response = post(address_of(platform, "coupon-detail"), grant("111", 3))
    assert (response.status_code, response.json()["return_code"]) == (404, "fail")
    assert response.json()["return_msg"].startswith("campaign_id: ")
