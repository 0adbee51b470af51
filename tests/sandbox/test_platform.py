"""The smart-coupon platform: pushes in three revisions, their signatures, and the consume reports."""

import json
from pathlib import Path

import pytest

from integrations.sandbox.revisions import FIELDS, REVISIONS, returned_id, signed
from integrations.sandbox.signing import java_double, platform_sign_body, platform_sign_time
from tests.sandbox.caller import Caller

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "smartcoupon_sign.json").read_text())["cases"]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['revision']}-{case['name']}")
def test_signature_agrees_with_the_platforms_own(case):
    body, key = case["body"], case["developer_key"]
    if case["revision"] == 2:
        assert platform_sign_body(body, key) == body["data_signature"]
    else:
        assert platform_sign_time(body["signature_time"], key) == body["data_signature"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10, "10.0"),
        (0, "0.0"),
        (7.5, "7.5"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (9999999, "9999999.0"),
        (10000000, "1.0E7"),
        (12345678.5, "1.23456785E7"),
        (-12345678.5, "-1.23456785E7"),
    ],
)
def test_numbers_are_printed_as_java_prints_them(number, text):
    assert java_double(number) == text


def push(till: Caller, kind: str, body: object, revision: int = 1, **more: str) -> str:
    form = {"account": "maxfun", "revision": str(revision), "kind": kind, "body": json.dumps(body), **more}
    response = till.session.post(f"{till.url}/platform/push", data=form, headers={"Origin": till.url})
    assert response.status_code == 200
    return response.text


def test_coupon_push_is_sent_as_composed_and_its_id_is_filled_into_the_detail(till, portal):
    portal.say((200, {"result": {"coupon_id": "4242424242"}}))
    body = {"coupon_name": "现金券", "coupon_amount": 10}
    page = push(till, "coupon", body)
    [received] = portal.received
    assert received.path == "/hooks/smart-coupon/push-token/coupon/"
    assert received.content_type.startswith("application/json")
    assert received.json == body
    assert "&quot;coupon_id&quot;: &quot;4242424242&quot;" in page
    assert "&quot;identifier&quot;: &quot;13800138000&quot;" in page


def test_detail_push_goes_to_the_detail_address(till, portal):
    push(till, "coupon-detail", {"identifier": "13800138000"})
    assert portal.received[0].path == "/hooks/smart-coupon/push-token/coupon-detail/"


def test_refused_push_is_shown_and_fills_in_nothing(till, portal):
    portal.say((400, {"error": {"code": "invalid", "message": "金额不对"}}))
    page = push(till, "coupon", {"coupon_amount": "x"})
    assert "金额不对" in page
    assert "&quot;coupon_id&quot;: &quot;&quot;" in page


def test_push_is_repeated_to_the_letter(till, portal):
    push(till, "coupon", {"coupon_name": "现金券"})
    form = {"id": "1", "account": "maxfun", "revision": "1"}
    till.session.post(f"{till.url}/platform/again", data=form, headers={"Origin": till.url})
    assert portal.received[0].body == portal.received[1].body


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("kind", ["coupon", "coupon-detail"])
def test_form_of_every_revision_offers_its_fields(till, revision, kind):
    page = till.session.get(f"{till.url}/platform?revision={revision}").text
    for field in FIELDS[revision, kind]:
        assert f'data-field="{field.name}"' in page


def test_revision_2_is_signed_over_the_body_and_3_over_the_time(till, portal):
    body = {"coupon_amount": 10, "merchant_id": "88"}
    push(till, "coupon", body, revision=2, sign="1")
    push(till, "coupon", body, revision=3, sign="1")
    push(till, "coupon", body, revision=2)
    second, third, unsigned = (received.json for received in portal.received)
    assert second["data_signature"] == platform_sign_body(body, "developer_key")
    assert third["data_signature"] == platform_sign_time(third["signature_time"], "developer_key")
    assert unsigned == body


def test_text_that_is_no_json_is_sent_as_it_stands():
    assert signed(2, "{", "key") == "{"
    assert signed(1, "{}", "key") == "{}"


@pytest.mark.parametrize(
    ("answer", "kind", "found"),
    [
        ('{"result":{"coupon_id":"111"}}', "coupon", "111"),
        ('{"result":{"campaign_id":111}}', "coupon", "111"),
        ('{"return_code":"success","return_msg":"","campaign_id":"111"}', "coupon", "111"),
        ('{"result":{"coupon_detail_id":"2222"}}', "coupon-detail", "2222"),
        ('{"return_code":"success","return_msg":"","coupon_id":"2222"}', "coupon-detail", "2222"),
        ('{"error":{}}', "coupon", ""),
        ('{"result":"x"}', "coupon", ""),
        ("[]", "coupon", ""),
        ("", "coupon", ""),
    ],
)
def test_id_is_read_from_every_revisions_answer(answer, kind, found):
    assert returned_id(answer, kind) == found


def test_secrets_are_on_no_page(till, portal):
    push(till, "coupon", {"coupon_name": "x"}, revision=2, sign="1")
    for path in ("/", "/till", "/platform?revision=2", "/promotions", "/faults"):
        page = till.session.get(till.url + path).text
        for secret in ("push-token", "developer_key", "till-secret", "platform-secret"):
            assert secret not in page, (path, secret)


def token(till: Caller, **changed: str) -> dict:
    query = {"app_id": "platform-id", "app_secret": "platform-secret", **changed}
    return till.session.get(f"{till.url}/tp/services/token", params=query).json()


def consume(till: Caller, body: object, authorization: str | None = None) -> dict:
    given = authorization or f"bearer {token(till)['result']['access_token']}"
    headers = {"Authorization": given, "Content-Type": "application/json"}
    data = body if isinstance(body, str) else json.dumps(body)
    return till.session.post(f"{till.url}/tp/services/consume_coupon", data=data, headers=headers).json()


def test_report_is_taken_with_a_token_and_listed(till):
    answer = consume(till, {"coupon_id_list": ["2222", "3333"]})
    assert answer == {"status": {"code": "200", "message": "success"}, "result": "success"}
    page = till.session.get(f"{till.url}/platform").text
    assert "2222" in page
    assert "3333" in page


def test_token_stays_the_same_and_wrong_credentials_get_none(till):
    assert token(till) == token(till)
    assert token(till)["status"]["code"] == "200"
    for changed in ({"app_id": "x"}, {"app_secret": "x"}, {"app_secret": ""}):
        assert token(till, **changed)["status"]["code"] == "SE03"


@pytest.mark.parametrize("authorization", ["bearer wrong", "basic x", "bearer"])
def test_report_without_a_good_token_is_refused(till, authorization):
    assert consume(till, {"coupon_id_list": ["1"]}, authorization)["status"]["code"] == "SE03"


@pytest.mark.parametrize(
    "body", ["{", {}, [], {"coupon_id_list": []}, {"coupon_id_list": [1]}, {"coupon_id_list": "1"}]
)
def test_report_without_ids_is_bad_input(till, body):
    assert consume(till, body)["status"]["code"] == "VA01"


def test_repeated_report_is_counted_not_refused(till):
    consume(till, {"coupon_id_list": ["2222"]})
    assert consume(till, {"coupon_id_list": ["2222"]})["result"] == "success"


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_push_can_be_ordered_for_any_token(till, portal, revision):
    portal.say((200, {"result": {"coupon_id": "4242424242"}}))
    order = {"token": "another-token", "merchant_id": "88", "developer_key": "key", "platform": "x"}
    answer = till.control("POST", "push", {**order, "revision": revision})
    [received] = portal.received
    assert received.path == "/hooks/smart-coupon/another-token/coupon/"
    assert received.json["merchant_id"] == "88"
    assert (answer["http_status"], "4242424242" in answer["answer"]) == (200, True)
    assert ("data_signature" in received.json) == (revision > 1)


@pytest.mark.parametrize("body", [{}, {"token": "t"}, {"token": "t", "merchant_id": "88", "revision": 9}])
def test_an_order_that_lacks_something_pushes_nothing(till, portal, body):
    response = till.session.post(f"{till.url}/control/push", json=body)
    assert response.status_code == 400
    assert portal.received == []


def test_the_platform_can_be_made_to_misbehave_and_the_routers_faults_leave_it_alone(till):
    address = f"{till.url}/tp/services/token?app_id=platform-id&app_secret=platform-secret"
    till.fault("busy")
    assert till.session.get(address).json()["status"]["code"] == "200"
    till.fault("busy", method="platform.token")
    assert till.session.get(address).json() == {"status": {"code": "SE05", "message": "ordered"}, "result": None}
    till.fault("http_500", method="platform.token")
    assert till.session.get(address).status_code == 500
