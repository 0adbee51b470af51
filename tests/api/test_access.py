"""How a key opens something, and what is refused before anything is read or parsed.

Which key may make which call: tests/people/test_matrix_of_calls.py.
"""

from typing import Any

import pytest
from django.test import override_settings

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import ApiKey
from integrations.provisioning.run import provision
from merchants.models import Merchant
from tests.api.caller import Caller, caller_of, refused, written
from tests.factories import issued
from tests.people.test_matrix_of_calls import CALLS, Call

pytestmark = pytest.mark.django_db


@pytest.fixture
def coupon(template: CouponTemplate) -> IssuedCoupon:
    """A coupon of merchant 88."""
    return issued(template)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "not_authenticated"),
        ("Api-Key", "not_authenticated"),
        ("Bearer cp_mini-program-0123456789", "not_authenticated"),
        ("Api-Key cp_wrong", "authentication_failed"),
        ("Api-Key " + "x" * 5000, "authentication_failed"),
        ("Api-Key \u00fc", "authentication_failed"),
    ],
)
def test_without_a_key_that_is_known_every_call_is_401(
    api: Caller, coupon: IssuedCoupon, header: str, code: str
) -> None:
    before = written()
    for call in [*CALLS, Call("api-nowhere", "GET", "nowhere/", "", 404, 404)]:
        path = call.path.format(code=coupon.code, coupon_id=coupon.template.coupon_id)
        answer = api.send(call.method, path, {}, authorization=header)
        assert refused(answer) == (401, code, None), path
        assert answer["WWW-Authenticate"] == "Api-Key"
    assert written() == before


def test_an_unknown_caller_has_nothing_parsed(api: Caller) -> None:
    answer = api.post("coupons/", b"{not json", authorization="Api-Key wrong", media="text/csv")
    assert refused(answer) == (401, "authentication_failed", None)


def test_a_deleted_key_is_out_at_once_and_a_second_key_stays(api: Caller) -> None:
    second = caller_of("same", *api.app.merchants.all())
    ApiKey.objects.filter(app=api.app).delete()
    assert api.get("coupons/").status_code == 401
    assert second.get("coupons/").status_code == 200


def test_a_key_holds_while_encryption_keys_are_changed(api: Caller, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleTE=", *settings.FIELD_ENCRYPTION_KEYS]
    assert api.get("coupons/").status_code == 200


def test_a_provisioned_key_opens_its_merchants(merchant: Merchant) -> None:
    provision({"partner_apps": [
        {"name": "p", "api_key": "given-by-the-file-1", "scopes": ["coupons:read"], "merchants": ["88"]}
    ]})  # fmt: skip
    app = Caller(ApiKey.objects.get().app, "given-by-the-file-1")
    assert app.get("coupons/").status_code == 200


def test_a_filter_by_another_s_merchant_is_404(coupon: IssuedCoupon, stranger: Merchant) -> None:
    theirs = caller_of("stranger", stranger)
    for path in ("coupon-templates/", "coupons/"):
        assert refused(theirs.get(f"{path}?merchant_id=88")) == (404, "not_found", "merchant_id")


@pytest.mark.parametrize("path", ["", "nowhere/", "coupons", "coupons/1/", "coupons/12345678901234567/", "coupons/x/",
                                  "coupons/1234567890123456/no/"])  # fmt: skip
def test_addresses_that_there_are_not_are_404_in_the_one_form(api: Caller, path: str) -> None:
    for method in ("GET", "POST", "PUT"):
        assert refused(api.send(method, path, {})) == (404, "not_found", None)


OTHERS = [("DELETE", "coupons/"), ("PATCH", "customers/m/"), ("GET", "customers/m/")]


@pytest.mark.parametrize(("method", "path"), [*OTHERS,
                                              ("OPTIONS", "coupons/"), ("POST", "coupon-templates/")])  # fmt: skip
def test_other_methods_are_405(api: Caller, method: str, path: str) -> None:
    answer = api.send(method, path)
    assert refused(answer) == (405, "method_not_allowed", None)
    assert answer["Allow"]


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        (b"{", "parse_error", None),
        (b"[]", "parse_error", None),
        (b"\xff", "parse_error", None),
        (b'{"reason": "a", "reason": "b"}', "parse_error", "reason"),
        (b'{"reason": "\\u0000"}', "parse_error", "reason"),
        (b'{"reason": NaN}', "parse_error", None),
        (b"", "required", "reason"),
    ],
)
def test_bodies_are_read_strictly(api: Caller, coupon: IssuedCoupon, body: bytes, code: str, attr: str) -> None:
    assert refused(api.post(f"coupons/{coupon.code}/revoke/", body)) == (400, code, attr)
    coupon.refresh_from_db()
    assert coupon.status == "issued"


def test_only_json_is_taken(api: Caller, coupon: IssuedCoupon) -> None:
    for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = api.post(f"coupons/{coupon.code}/revoke/", b"reason=r", media=media)
        assert refused(answer) == (415, "unsupported_media_type", None)
    answer = api.post(f"coupons/{coupon.code}/revoke/", {"reason": "r"}, media="application/json; charset=utf-8")
    assert answer.status_code == 200


def test_a_body_over_64_kib_is_413(api: Caller, coupon: IssuedCoupon) -> None:
    path = f"coupons/{coupon.code}/check/"
    assert refused(api.post(path, b" " * (64 * 1024) + b"{}")) == (413, "too_large", None)
    assert api.post(path, b" " * (64 * 1024 - 2) + b"{}").status_code == 200


def test_faults_say_no_more_in_debug(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.partner_api.coupons.page_of", lambda *_args: 1 / 0)
    with override_settings(DEBUG=True):
        assert refused(api.get("coupons/")) == (500, "error", None)


def test_the_reader_s_language_changes_words_and_no_code(api: Caller, coupon: IssuedCoupon) -> None:
    order = {"order_id": "1", "paid_fen": 100, "saved_fen": 100}
    for method, path, body in (("POST", f"coupons/{coupon.code}/redeem/", order), ("GET", "nowhere/", None)):
        english = api.send(method, path, body)
        chinese = api.send(method, path, body, accept_language="zh-hans")
        assert refused(english) == refused(chinese)
        assert english.json()["errors"][0]["detail"].isascii()
        assert not chinese.json()["errors"][0]["detail"].isascii()
