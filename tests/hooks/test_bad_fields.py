"""Every field of both pushes, with everything that can be wrong with it: 400, the field named, nothing stored."""

import json
from typing import Any

import pytest

from merchants.models import Merchant, SmartCouponAccount
from tests.factories import published
from tests.hooks.helpers import ABSENT, address_of, create_push, give_push, last_push, made, post, refused

pytestmark = pytest.mark.django_db

NOT_A_TEXT: list[Any] = [True, False, 1.5, [], ["x"], {}, {"a": 1}]
NUMBERS = [7, 0, -7, 10**30]
EMPTY = ["", " ", "\n\t", "\u3000"]
NOTHING = [ABSENT, None]
NOT_STORABLE = ["\x00", "a\x00b", "\ud800", "x\udfffy"]
NOT_A_NUMBER = [*NOTHING, *EMPTY, True, False, "10", "٣", "x", [], {}, [1]]
NOT_A_TIME = [
    *[*NOTHING, *EMPTY, *NOT_A_TEXT, *NUMBERS, *NOT_STORABLE],
    *["2099-02-29 00:00:00", "2026-02-30 10:00:00", "2099-13-01 10:00:00", "2099-00-10 10:00:00"],
    *["2099-05-01 24:00:00", "2099-05-01 23:60:00", "2099-05-01 23:59:60", "2099-05-01 23:59:61"],
    *["0000-01-01 00:00:00", "9999-12-31 23:59:59", "2200-01-01 00:00:00", "99999-01-01 00:00:00"],
    *["2099-05-01", "2099-05-01T23:59:59", "2099-05-01 23:59", "2099-5-1 23:59:59", "2099-05-1  23:59:59"],
    *["2099-05-01\t23:59:59", "2099/05/01 23:59:59", "20990501 23:59:59", "2099-05-01 23:59:59Z"],
    *["２０９９-05-01 23:59:59", "٢٠٩٩-05-01 23:59:59", "-099-05-01 23:59:59", "+099-05-01 23:59:59"],
    *["4070880000000", "tomorrow", "2099-05-01 23:59:59 or so", "x" * 60_000],
]
IDS = [*NOTHING, *EMPTY, True, False, 1.5, 88.0, [], ["88"], {}, *NOT_STORABLE]
CHOICES = [*NOT_A_NUMBER, -1, 3, 0.5, 1.5, 10**30]

CREATE: dict[str, list[Any]] = {
    "coupon_name": [*NOTHING, *EMPTY, *NOT_A_TEXT, *NUMBERS, *NOT_STORABLE, "x" * 101, "券" * 5000],
    "coupon_amount": [*NOT_A_NUMBER, "10元"],
    "min_buy_price": [*(bad for bad in NOT_A_NUMBER if bad not in NOTHING), -1],
    "coupon_type": [*CHOICES, 2],
    "expiration_type": [*CHOICES, 0],
    "expiration_time": NOT_A_TIME,
    "merchant_id": [*IDS, "x" * 65, 10**64, 10**999],
}
GIVE: dict[str, list[Any]] = {
    "identifier": [*IDS, "x" * 129, 10**128],
    "expiration_time": NOT_A_TIME,
    "coupon_id": [*IDS, "x" * 65, 10**64],
    "merchant_id": [*IDS, "x" * 65, 10**64],
}
# What JSON itself can hold and Python's writer cannot write.
RAW = ["1e400", "-1e400", "1e99999999999999999999", "9" * 5000, "-" + "9" * 5000]
NO_JSON = ["NaN", "Infinity", "-Infinity", "٣", "01", "+1", ".5", "1.", "0x10", "'x'", "nul"]


def raw(sample: dict[str, Any], field: str, value: str) -> bytes:
    """The push with a value written exactly so."""
    return json.dumps({**sample, field: "@"}).replace('"@"', value).encode()


def check(response: Any, field: str, before: dict[str, int]) -> None:
    """Refused for this field, and nothing but the refusal itself is kept."""
    status, code, message = refused(response)
    assert (status, code) in {(400, "invalid_field"), (400, "bad_request")}, message
    assert message.startswith(f"{field}: "), message
    assert made() == before
    assert (last_push().status, last_push().answer) == (400, response.json())


def body_of(push: dict[str, Any]) -> bytes:
    """As JSON, half characters as escapes."""
    return json.dumps(push).encode()


@pytest.mark.parametrize("field", CREATE)
def test_a_wrong_field_of_a_coupon_is_named(platform: SmartCouponAccount, field: str) -> None:
    before = made()
    for value in CREATE[field]:
        check(post(address_of(platform), body_of(create_push(**{field: value}))), field, before)


@pytest.mark.parametrize("field", GIVE)
def test_a_wrong_field_of_a_coupon_detail_is_named(
    platform: SmartCouponAccount, merchant: Merchant, field: str
) -> None:
    coupon_id = published(merchant=merchant).coupon_id
    before = made()
    for value in GIVE[field]:
        push = {name: v for name, v in {**give_push(coupon_id), field: value}.items() if v is not ABSENT}
        check(post(address_of(platform, "coupon-detail"), body_of(push)), field, before)


@pytest.mark.parametrize("value", [*NOT_A_NUMBER, 0, -1, 1.5, 3651, 10**30, 1e9])
def test_wrong_days_after_receipt_are_named(platform: SmartCouponAccount, value: Any) -> None:
    before = made()
    push = create_push(expiration_type=2, expiration_interval=value, expiration_time=ABSENT)
    check(post(address_of(platform), body_of(push)), "expiration_interval", before)


def test_numbers_out_of_all_bounds_are_named(platform: SmartCouponAccount, merchant: Merchant) -> None:
    coupon_id = published(merchant=merchant).coupon_id
    before = made()
    for field in CREATE:
        for value in RAW:
            check(post(address_of(platform), raw(create_push(), field, value)), field, before)
    for field in GIVE:
        for value in RAW:
            check(post(address_of(platform, "coupon-detail"), raw(give_push(coupon_id), field, value)), field, before)


@pytest.mark.parametrize("value", NO_JSON)
def test_what_json_does_not_know_is_refused(platform: SmartCouponAccount, value: str) -> None:
    before = made()
    for field in CREATE:
        status, code, message = refused(post(address_of(platform), raw(create_push(), field, value)))
        assert (status, code) == (400, "bad_request")
        assert "JSON" in message
    assert made() == before


@pytest.mark.parametrize("ago", ["2016-05-01 23:59:59", "2000-01-01 00:00:00"])
def test_an_end_that_has_passed_is_bad_content(platform: SmartCouponAccount, ago: str) -> None:
    before = made()
    status, code, message = refused(post(address_of(platform), create_push(expiration_time=ago)))
    assert (status, code) == (400, "expiration_passed")
    assert message.startswith("expiration_time: ")
    assert made() == before


def test_an_unsigned_push_where_a_signature_is_demanded_is_401(platform: SmartCouponAccount) -> None:
    platform.require_signature = True
    platform.save()
    before = made()
    for kind in ("coupon", "coupon-detail"):
        for push in (create_push(), give_push("111"), {}):
            assert refused(post(address_of(platform, kind), push))[:2] == (401, "signature_required")
    assert made() == before
    assert last_push().status == 401
