"""Issuing through the API: the coupon's form, to whom it is given, what is refused and then changes nothing."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons import templates
from coupons.models import CouponTemplate, IssuedCoupon
from merchants.clock import SHANGHAI, day_end, local_day
from merchants.models import Customer, Merchant
from tests.api.caller import Caller, errors_of, issue_body, refused, written
from tests.factories import CouponTemplateFactory, CustomerFactory, issued, published

pytestmark = pytest.mark.django_db

COUPON = [
    "code", "coupon_id", "merchant_id", "title", "status", "delivery", "identifier", "valid_from", "valid_until",
    "issued_at", "redeemed_at",
]  # fmt: skip


def test_an_unknown_identifier_makes_the_customer_and_the_delivery_waits(api: Caller, template: CouponTemplate) -> None:
    answer = api.post("coupons/", issue_body(template.coupon_id))
    assert answer.status_code == 201
    said = answer.json()
    coupon = IssuedCoupon.objects.get()
    assert list(said) == COUPON
    assert said["code"] == coupon.code
    assert (said["coupon_id"], said["merchant_id"], said["title"]) == (template.coupon_id, "88", template.title)
    assert (said["status"], said["delivery"], said["identifier"]) == ("issued", "waiting", "13800138000")
    assert said["valid_until"] == f"{template.end_date}T23:59:59+08:00", "the end of that day in Shanghai"
    assert said["redeemed_at"] is None
    assert datetime.fromisoformat(said["issued_at"]) <= timezone.now()
    assert coupon.source == "api"
    assert coupon.events.get(kind="issued").actor == "api:mini-program"
    assert api.get(f"coupons/{coupon.code}/").json() == said
    assert Customer.objects.get().mobile == "13800138000"


@pytest.mark.parametrize("name", ["identifier", "mobile", "openid"])
def test_a_known_customer_is_named_in_one_of_three_ways(
    api: Caller, merchant: Merchant, template: CouponTemplate, name: str
) -> None:
    known = CustomerFactory(merchant=merchant, identifier="m-7", mobile="13900139000", openid="o-7")
    body = {"merchant_id": "88", "coupon_id": template.coupon_id, name: getattr(known, name)}
    said = api.post("coupons/", body).json()
    assert (said["identifier"], said["delivery"]) == ("m-7", "queued")


def test_an_unknown_openid_or_mobile_makes_nobody(api: Caller, template: CouponTemplate) -> None:
    for name, value in [("openid", "o-1"), ("mobile", "13900139000")]:
        answer = api.post("coupons/", {"merchant_id": "88", "coupon_id": template.coupon_id, name: value})
        assert refused(answer) == (404, "unknown_customer", name)
    assert not Customer.objects.exists()


def test_a_number_that_several_have_names_nobody(api: Caller, merchant: Merchant, template: CouponTemplate) -> None:
    for identifier in ("a", "b"):
        CustomerFactory(merchant=merchant, identifier=identifier, mobile="13900139000")
    body = {"merchant_id": "88", "coupon_id": template.coupon_id, "mobile": "13900139000"}
    assert refused(api.post("coupons/", body)) == (409, "ambiguous_customer", "mobile")


@pytest.mark.parametrize(
    ("changes", "code", "attr"),
    [
        ({"merchant_id": None}, "null", "merchant_id"),
        ({"coupon_id": ""}, "blank", "coupon_id"),
        ({"coupon_id": 1.5}, "invalid", "coupon_id"),
        ({"coupon_id": True}, "invalid", "coupon_id"),
        ({"coupon_id": "x" * 65}, "max_length", "coupon_id"),
        ({"identifier": "x" * 129}, "max_length", "identifier"),
        ({"identifier": "a\nb"}, "invalid", "identifier"),
        ({"identifier": "erased:1"}, "invalid", "identifier"),
        ({"openid": "o-1"}, "exactly_one", "openid"),
        ({"expiration_time": "2099-01-01"}, "invalid", "expiration_time"),
        ({"expiration_time": "2099-01-01T00:00:00"}, "invalid", "expiration_time"),
        ({"expiration_time": "2099-02-30T00:00:00Z"}, "invalid", "expiration_time"),
        ({"expiration_time": 4070880000}, "invalid", "expiration_time"),
        ({"expiration_time": "1999-12-31T23:59:59Z"}, "invalid", "expiration_time"),
        ({"identifier": 13800138000}, "invalid", "identifier"),
        ({"expirationTime": "2099-01-01T00:00:00Z"}, "unknown_field", "expirationTime"),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(
    api: Caller, template: CouponTemplate, changes: dict[str, Any], code: str, attr: str
) -> None:
    before = written()
    assert refused(api.post("coupons/", issue_body(template.coupon_id, **changes))) == (400, code, attr)
    assert written() == before


def test_an_end_that_has_passed_or_comes_too_early_is_a_conflict_that_names_it(api: Caller, merchant: Merchant) -> None:
    later = published(merchant=merchant, start_date=date(2099, 1, 1), end_date=date(2099, 12, 31))
    before = written()
    for end, code in (
        ("2001-01-01T00:00:00+08:00", "expiration_passed"),
        ("2098-01-01T00:00:00Z", "ends_before_start"),
    ):
        answer = api.post("coupons/", issue_body(later.coupon_id, expiration_time=end))
        assert refused(answer) == (409, code, "expiration_time")
    assert written() == before


def test_all_that_is_wrong_is_said_at_once(api: Caller) -> None:
    assert errors_of(api.post("coupons/", {"mobile": "123", "amount": 1})) == [
        ("required", "merchant_id"), ("required", "coupon_id"), ("invalid", "mobile"), ("unknown_field", "amount"),
    ]  # fmt: skip


def test_nobody_named_is_bad_input(api: Caller, template: CouponTemplate) -> None:
    answer = api.post("coupons/", {"merchant_id": "88", "coupon_id": template.coupon_id})
    assert refused(answer) == (400, "exactly_one", "identifier")


def test_an_end_that_is_told_is_kept_to_the_second(api: Caller, template: CouponTemplate) -> None:
    told = (timezone.now() + timedelta(days=3)).astimezone(SHANGHAI).replace(microsecond=0)
    said = api.post("coupons/", issue_body(template.coupon_id, expiration_time=told.isoformat())).json()
    assert said["valid_until"] == told.isoformat()


def test_days_end_at_midnight_in_shanghai(api: Caller, merchant: Merchant) -> None:
    one_day = published(merchant=merchant, valid_days=1)
    said = api.post("coupons/", issue_body(one_day.coupon_id)).json()
    issued_at = datetime.fromisoformat(said["issued_at"])
    assert datetime.fromisoformat(said["valid_until"]) == day_end(local_day(issued_at))
    assert said["valid_until"].endswith("T23:59:59+08:00")


def test_rules_that_refuse_are_conflicts_with_their_codes_and_change_nothing(api: Caller, merchant: Merchant) -> None:
    draft = CouponTemplateFactory(merchant=merchant)
    empty, single = published(merchant=merchant, stock=0), published(merchant=merchant, per_person_limit=1)
    paused = published(merchant=merchant)
    templates.pause(paused)
    assert api.post("coupons/", issue_body(single.coupon_id)).status_code == 201
    before = written()
    for template, code in [
        (draft, "template_not_published"),
        (empty, "out_of_stock"),
        (single, "per_person_limit"),
        (paused, "template_not_published"),
    ]:
        assert refused(api.post("coupons/", issue_body(template.coupon_id))) == (409, code, None)
    assert refused(api.post("coupons/", issue_body(empty.coupon_id, identifier="new"))) == (409, "out_of_stock", None)
    assert written() == before, "the new customer neither"


def test_others_merchants_and_templates_are_404(api: Caller, template: CouponTemplate, stranger: Merchant) -> None:
    theirs = published(merchant=stranger)
    before = written()
    for body, attr in [
        (issue_body(theirs.coupon_id, merchant_id="99"), "merchant_id"),
        (issue_body(theirs.coupon_id), "coupon_id"),
        (issue_body(template.coupon_id, merchant_id="none"), "merchant_id"),
        (issue_body("none"), "coupon_id"),
    ]:
        assert refused(api.post("coupons/", body)) == (404, "not_found", attr)
    assert written() == before


@pytest.mark.parametrize("moment", ["2199-12-31T23:59:59-12:00", "2000-01-01T00:00:00+08:00"])
def test_a_moment_that_its_offset_puts_beyond_the_years_of_coupons_is_refused(
    api: Caller, template: CouponTemplate, moment: str
) -> None:
    code = issued(template).code
    assert refused(api.post(f"coupons/{code}/check/", {"at": moment})) == (400, "invalid", "at")


@pytest.mark.parametrize("offset", ["+16:02", "-23:59", "+0800", "Z"])
def test_an_end_may_come_with_any_offset_that_there_is(api: Caller, template: CouponTemplate, offset: str) -> None:
    answer = api.post("coupons/", issue_body(template.coupon_id, expiration_time=f"2099-01-02T00:00:00{offset}"))
    assert answer.status_code == 201
    stored = IssuedCoupon.objects.get(code=answer.json()["code"]).valid_until
    assert stored == datetime.fromisoformat(f"2099-01-02T00:00:00{offset}")
    asked = {"at": f"2026-11-28T00:00:00{offset}"}
    assert api.post(f"coupons/{answer.json()['code']}/check/", asked).status_code == 200
