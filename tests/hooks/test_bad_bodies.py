"""Bodies that are no push at all: a clear refusal in the contract's form, whatever bytes they are."""

import json
from typing import Any

import pytest

from merchants.models import SmartCouponAccount
from tests.hooks.helpers import address_of, call, create_push, last_push, made, post, refused

pytestmark = pytest.mark.django_db

KINDS = ("coupon", "coupon-detail")
DEEP = 30_000


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b'{"coupon_name": "x",}', "not JSON"),
        (b"{'coupon_name': 'x'}", "not JSON"),
        (b'{"coupon_name": "a\nb"}', "not JSON"),
        (b'{"a": 1} {"a": 2}', "not JSON"),
        (b"coupon_name=x&coupon_amount=10", "not JSON"),
        (b"<xml/>", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[{}]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"true", "not a JSON object"),
        (b"42", "not a JSON object"),
        (b'"{}"', "not a JSON object"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"coupon_name": "\xff"}', "not UTF-8"),
        ('{"coupon_name": "现金券"}'.encode("gbk"), "not UTF-8"),
        (b'{"coupon_name": "\xed\xa0\x80"}', "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"\x00\x01\x02", "not JSON"),
        (b'{"coupon_name": "a", "coupon_name": "a"}', "coupon_name: The field comes twice"),
        (b'{"merchant_id": "88", "merchant\\u005fid": "99"}', "merchant_id: The field comes twice"),
        (b'{"x": {"y": 1, "y": 2}}', "y: The field comes twice"),
        (b'{"\\u0000": 1, "\\u0000": 2}', "\ufffd: The field comes twice"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "\ufffd: The field comes twice"),
        (b'{"\\u0000": 1}', "\ufffd: The name holds NUL or half a character"),
        (b'{"a\\udc00": 1}', "a\ufffd: The name holds NUL or half a character"),
        (b'{"x": [{"y": "\\u0000"}]}', "x[0].y: The text holds NUL or half a character"),
        (b'{"' + b"n" * 200 + b'": 1, "' + b"n" * 200 + b'": 2}', "n" * 50 + ": The field comes twice"),
        (b'{"x": ' + b"[" * DEEP + b"]" * DEEP + b"}", "nested too deeply"),
        (b'{"x":' * 5000 + b"1" + b"}" * 5000, "nested too deeply"),
        (b'{"x": [[[[[[[[1]]]]]]]]}', "nested too deeply"),
        (b"[" * 65_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_bad_content(platform: SmartCouponAccount, body: bytes, says: str) -> None:
    before = made()
    for kind in KINDS:
        response = post(address_of(platform, kind), body)
        status, code, message = refused(response)
        assert (status, code) == (400, "bad_request")
        assert says in message
        assert (last_push().status, last_push().answer) == (400, response.json())
    assert made() == before


def test_64_kib_are_read_and_one_byte_more_is_too_large(platform: SmartCouponAccount) -> None:
    push = json.dumps(create_push()).encode()
    full = push + b" " * (65_536 - len(push))
    assert post(address_of(platform), full).status_code == 200
    for body in (full + b" ", b"x" * 10_000_000):
        for kind in KINDS:
            status, code, message = refused(post(address_of(platform, kind), body))
            assert (status, code) == (413, "too_large")
            assert "65536" in message


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data", "x", "application/json5"],
)
def test_another_media_type_is_415(platform: SmartCouponAccount, media_type: str) -> None:
    before = made()
    for kind in KINDS:
        status, code, message = refused(post(address_of(platform, kind), create_push(), media_type))
        assert (status, code) == (415, "unsupported_media_type")
        assert "application/json" in message
    assert made() == before


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_anything_but_a_post_is_405(platform: SmartCouponAccount, method: str) -> None:
    for kind in KINDS:
        response = call(method, address_of(platform, kind), b"{}", content_type="application/json")
        assert refused(response)[:2] == (405, "method_not_allowed")
        assert response["Allow"] == "POST"


def test_a_refusal_keeps_only_the_beginning_of_a_long_body(platform: SmartCouponAccount) -> None:
    post(address_of(platform), b'{"x": "' + "券".encode() * 20_000)
    assert len(last_push().body) <= 4000


@pytest.mark.parametrize("length", ["-1", "5x", "٣", "9" * 5000, "0" * 5000])
def test_a_length_that_is_none_is_refused(platform: SmartCouponAccount, length: Any) -> None:
    response = post(address_of(platform), b"{}", CONTENT_LENGTH=length)
    assert refused(response)[0] in (400, 413)
