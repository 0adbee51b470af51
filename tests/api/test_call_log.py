"""What is kept of a call: enough to find a fault, nothing that names a customer or opens anything."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.models import ApiCall, ApiKey
from integrations.partner_api import call_log
from integrations.partner_api.calls import ROUTES
from integrations.partner_api.masking import MOST_BYTES, bounded, masked, masked_line
from integrations.partner_api.urls import urlpatterns
from integrations.retention import traces
from merchants.models import Merchant
from tests.api.caller import Caller, caller_of, issue_body, refused
from tests.config.test_metrics import read, value
from tests.factories import CustomerFactory, issued

pytestmark = pytest.mark.django_db
OPENID = "o3Pm6uD6KVkNobodyMayRead"


def last() -> ApiCall:
    """The newest call of the log."""
    return ApiCall.objects.latest("pk")


def test_a_call_is_kept_with_its_answer_and_what_it_was_about(api: Caller, template: CouponTemplate) -> None:
    answer = api.post("coupons/", issue_body(template.coupon_id, identifier="m-1"), x_request_id="forged")
    call, coupon = last(), answer.json()
    assert (call.app, call.method, call.route, call.path, call.status, call.code) == (
        api.app, "POST", "api-coupons", "/api/v1/coupons/", 201, "",
    )  # fmt: skip
    assert (call.key, call.merchant, call.address) == (ApiKey.objects.get(), template.merchant, "127.0.0.1")
    assert call.coupon is not None
    assert call.coupon.code == coupon["code"]
    assert call.request_id == answer["X-Request-ID"]
    assert json.loads(call.body)["coupon_id"] == template.coupon_id
    assert json.loads(call.answer) == coupon
    assert (timezone.now() - call.at).total_seconds() < 10
    api.get(f"coupons/{coupon['code']}/")
    assert (last().coupon, last().merchant, last().route) == (call.coupon, call.merchant, "api-coupon")


def test_refusals_are_kept_with_their_code(api: Caller, template: CouponTemplate) -> None:
    api.post("coupons/", {"merchant_id": "88"})
    assert (last().status, last().code, last().merchant) == (400, "required", template.merchant)
    api.post("coupons/", b"{not json")
    assert (last().code, last().body, last().merchant) == ("parse_error", '"(9 bytes that are no JSON)"', None)
    ApiKey.objects.update(expires_at=timezone.now())
    api.get("coupons/?merchant_id=88")
    assert (last().status, last().code, last().merchant) == (401, "key_expired", template.merchant)


def test_what_others_own_is_not_named(template: CouponTemplate, stranger: Merchant) -> None:
    theirs = caller_of("stranger", stranger)
    theirs.get(f"coupons/{issued(template).code}/")
    theirs.get("coupons/?merchant_id=88")
    assert [(call.coupon, call.merchant) for call in ApiCall.objects.all()] == [(None, None)] * 2


def test_unknown_callers_leave_nothing(api: Caller) -> None:
    api.get("coupons/", authorization="Api-Key wrong")
    api.get("coupons/", authorization="")
    assert not ApiCall.objects.exists()


def test_neither_mobile_numbers_nor_openids_are_kept(api: Caller, template: CouponTemplate) -> None:
    api.put("customers/13800138000/", {"merchant_id": "88", "mobile": "13800138000", "openid": OPENID})
    api.get("coupons/?identifier=13800138000")
    api.get(f"coupons/?openid={OPENID}")
    api.put(f"customers/{OPENID}/", {"merchant_id": "88"})
    api.get(f"coupons/?identifier={OPENID}&merchant_id=88")
    api.post("coupons/", issue_body(template.coupon_id, identifier=OPENID))
    for call in ApiCall.objects.all():
        kept = f"{call.path} {call.body} {call.answer}"
        assert "13800138000" not in kept
        assert OPENID not in kept
    assert "138****8000" in ApiCall.objects.earliest("pk").path


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"openid": OPENID, "to_openid": "short"}, {"openid": "o3Pm****", "to_openid": "****"}),
        ({"identifier": OPENID, "to_identifier": "m-1"}, {"identifier": "o3Pm****", "to_identifier": "m-1"}),
        ({"identifier": "13800138000"}, {"identifier": "138****8000"}),
        ({"mobile": 13800138000}, {"mobile": "138****8000"}),
        ({"reason": "call 13800138000", "n": 3, "b": True, "x": None},
         {"reason": "call 138****8000", "n": 3, "b": True, "x": None}),
        ({"a": [{"client_secret": "s", "sign": "AB"}], "api_key": {"k": 1}},
         {"a": [{"client_secret": "****", "sign": "****"}], "api_key": "****"}),
        ({"13800138000": ["13800138000"]}, {"138****8000": ["138****8000"]}),
    ],
)  # fmt: skip
def test_fields_are_masked(said: Any, kept: Any) -> None:
    assert masked(said) == kept


def test_queries_are_masked() -> None:
    assert masked_line(f"/c/?to_openid={OPENID}&mobile=13800138000&x=1") == "/c/?to_openid=o3Pm****&mobile=1380****&x=1"
    assert masked_line(f"/v1/customers/{OPENID}/?identifier=m-1") == "/v1/customers/o3Pm****/?identifier=m-1"


def test_at_most_four_kib_are_kept_of_each(api: Caller) -> None:
    api.post("coupons/", {"merchant_id": "券" * 10_000})
    assert len(last().body.encode()) <= MOST_BYTES
    assert last().body.endswith("…")
    assert len(bounded("\ud800\x00" * 9000).encode()) <= MOST_BYTES


@pytest.mark.parametrize("levels", [9, 480])
def test_a_body_that_is_nested_too_deeply_is_refused_and_kept_to_eight_levels(api: Caller, levels: int) -> None:
    answer = api.post("coupons/", b'{"a":' + b"[" * levels + b"]" * levels + b"}")
    assert refused(answer)[:2] == (400, "parse_error")
    assert last().body == '{"a": [[[[[[["…"]]]]]]]}'


def test_odd_addresses_are_kept_too(api: Caller) -> None:
    before = ApiCall.objects.count()
    for path in ("%00/", "coupons/?status=%00%ff", f"coupons/?x={'y' * 2000}"):
        api.get(path)
    assert ApiCall.objects.count() == before + 3


def test_a_call_whose_line_cannot_be_written_stays_answered(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def away() -> Iterator[None]:
        raise OperationalError("gone")
        yield

    before = value(read(), "portal_api_calls_unkept_total")
    monkeypatch.setattr(call_log, "within_time", away)
    assert api.get("coupons/").status_code == 200
    assert not ApiCall.objects.exists()
    assert value(read(), "portal_api_calls_unkept_total") == before + 1


def test_a_deleted_key_keeps_its_calls(api: Caller) -> None:
    api.get("coupons/")
    ApiKey.objects.all().delete()
    assert last().key is None


def test_an_erased_customer_stands_in_no_call(api: Caller, template: CouponTemplate) -> None:
    name, number = "m-77", "13800138077"
    coupon = issued(template, CustomerFactory(merchant=template.merchant, identifier=name))
    api.put(f"customers/{name}/", {"merchant_id": "88"})
    api.get(f"coupons/{coupon.code}/")
    api.get("coupons/?status=issued")
    api.get("coupon-templates/")
    api.get(f"coupons/?identifier={number}")
    traces.forget_api_calls(template.merchant.pk, {name, number})
    kept = [f"{call.path} {call.body} {call.answer}" for call in ApiCall.objects.all()]
    assert not [line for line in kept if name in line]
    assert [call.blanked_at is not None for call in ApiCall.objects.order_by("pk")] == [True, True, True, False, True]


def test_names_are_looked_for_in_a_bounded_number_of_calls_at_a_time(
    api: Caller, template: CouponTemplate, stranger: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "_AT_ONCE", 2)
    for caller in (api, caller_of("stranger", stranger)):
        for query in ("identifier=m-77", "identifier=m-77&merchant_id=88", "identifier=m-78&merchant_id=88") * 2:
            caller.get(f"coupons/?{query}")
    with CaptureQueriesContext(connection) as asked:
        traces.forget_api_calls(template.merchant.pk, {"m-77"})
    looks = [query["sql"] for query in asked if "LIKE" in query["sql"]]
    assert len(looks) >= 4
    assert not [sql for sql in looks if '"integrations_apicall"."id" IN (' not in sql or "JOIN" in sql]
    assert list(ApiCall.objects.filter(blanked_at=None).order_by("pk").values_list("app__name", "path")) == [
        *[(api.app.name, "/api/v1/coupons/?identifier=m-78&merchant_id=88")] * 2,
        *[("stranger", f"/api/v1/coupons/?identifier={rest}") for rest in
          ("m-77", "m-77&merchant_id=88", "m-78&merchant_id=88") * 2],
    ]  # fmt: skip


def test_every_route_has_its_words() -> None:
    assert {route.name for route in urlpatterns} <= set(ROUTES)


def test_calls_are_counted_by_app_route_and_status_with_their_time(api: Caller) -> None:
    before = read()
    for _ in range(2):
        api.get("coupons/9999888877776666/")
    api.send("BREW", "coupons/")
    api.get("coupons/", authorization="Api-Key wrong")
    found = read()
    for grown, labels in (
        (2, {"app": "mini-program", "method": "GET", "route": "api-coupon", "status": "404"}),
        (1, {"app": "mini-program", "method": "other", "route": "api-coupons", "status": "405"}),
        (1, {"app": "", "method": "GET", "route": "api-coupons", "status": "401"}),
    ):
        assert value(found, "portal_api_calls_total", **labels) == (
            value(before, "portal_api_calls_total", **labels) + grown
        )
    timed = {"route": "api-coupon"}
    assert value(found, "portal_api_seconds_count", **timed) == value(before, "portal_api_seconds_count", **timed) + 2
