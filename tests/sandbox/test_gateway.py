"""What the gateway refuses before any service is asked, and how signatures are checked."""

import json
from pathlib import Path

import pytest

from integrations.sandbox.signing import dfire_sign
from tests.sandbox.caller import Caller, now_ms, sign

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "dfire_sign.json").read_text())["cases"]
TEN_MINUTES = 10 * 60 * 1000


def refusal(answer: dict) -> str:
    assert answer["errorToken"] == "@@$-ERROR_$@@"
    assert set(answer) == {"errorToken", "code", "message", "solution", "subErrors"}
    return answer["code"]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_signature_agrees_with_the_gateway_frameworks_own(case):
    assert dfire_sign(case["params"], case["secret"]) == case["sign"]
    assert sign(case["params"], case["secret"]) == case["sign"]


@pytest.mark.parametrize("case", VECTORS[:8], ids=lambda case: case["name"])
def test_vector_sent_over_the_wire_passes_the_signature_and_fails_only_on_its_old_clock(case, till, config_path):
    config = json.loads(config_path.read_text())
    config["accounts"].append({"app_key": case["params"]["appKey"], "app_secret": case["secret"]})
    config_path.write_text(json.dumps(config))
    signed = {**case["params"], "sign": case["sign"]}
    assert refusal(till.post(signed).json()) == "39"
    assert refusal(till.post({**signed, "entityId": "1"}).json()) == "25"


def test_every_parameter_is_under_the_signature(till):
    params = till.params("query.promotion")
    for name in params:
        if name not in ("appKey", "sign"):
            assert refusal(till.post({**params, name: params[name] + " "}).json()) == "25", name
    assert refusal(till.post({**params, "more": ""}).json()) == "25"


def test_lower_case_signature_is_refused(till):
    params = till.params("query.promotion")
    assert refusal(till.post({**params, "sign": params["sign"].lower()}).json()) == "25"


def test_unknown_key_is_refused(sandbox):
    assert refusal(Caller(sandbox.url, app_key="nobody").json("query.promotion")) == "23"


@pytest.mark.parametrize(("name", "code"), [("appKey", "22"), ("method", "26"), ("v", "28"), ("timestamp", "38")])
def test_missing_system_parameter_is_refused_by_name(till, name, code):
    answer = till.json("query.promotion", **{name: None})
    assert refusal(answer) == code
    assert name in answer["message"]


def test_missing_signature_is_refused(till):
    params = till.params("query.promotion")
    del params["sign"]
    assert refusal(till.post(params).json()) == "24"


def test_unknown_method_and_version_are_refused(till):
    assert refusal(till.json("bake.cake")) == "27"
    assert refusal(till.json("query.promotion", v="2.0")) == "29"


@pytest.mark.parametrize("timestamp", [-TEN_MINUTES - 5000, TEN_MINUTES + 5000])
def test_clock_more_than_ten_minutes_off_is_refused(till, timestamp):
    assert refusal(till.json("query.promotion", timestamp=now_ms() + timestamp)) == "39"
    assert till.json("query.promotion", timestamp=now_ms() + timestamp * 9 // 10)["success"] is True


@pytest.mark.parametrize("timestamp", ["soon", "-1", "1.5", "١", "9" * 5000])
def test_timestamp_that_is_no_number_is_refused(till, timestamp):
    assert refusal(till.json("query.promotion", timestamp=timestamp)) == "39"


def test_missing_business_parameter_is_named_in_the_sub_errors(till):
    answer = till.json("query.promotion", entityId=None)
    assert refusal(answer) == "32"
    assert answer["subErrors"] == [{"code": "isv.missing-parameter:entityId", "message": "缺少必要的参数entityId"}]


def test_blank_in_front_of_a_code_is_signed_as_sent_and_then_stripped(stocked):
    assert stocked.deliver("\n 100101")["model"]["thirdDeliverCode"] == "100101"
    assert stocked.held() == {"9001": None, "100101": None}


def test_body_that_is_not_utf8_is_refused(till):
    assert refusal(till.post(b"appKey=%ff").json()) == "6"


def test_accounts_are_read_again_when_the_file_changes(till, config_path):
    caller = Caller(till.url, app_key="new-key", secret="new-secret")
    assert refusal(caller.json("query.promotion")) == "23"
    good = config_path.read_text()
    config = json.loads(good)
    config["accounts"].append({"app_key": "new-key", "app_secret": "new-secret"})
    config_path.write_text(json.dumps(config))
    assert caller.json("query.promotion")["success"] is True
    config_path.write_text(good[:-20])
    assert caller.json("query.promotion")["success"] is True, "a broken file leaves the last good one"
