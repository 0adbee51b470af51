"""Every fault as the caller's socket sees it, and whether the call had its effect."""

import json
import time
from collections import Counter

import pytest
import requests

from tests.sandbox.caller import DONE, wait_for

DELIVER = "dfire.shop.deliver.promotion"


@pytest.fixture
def caller(till):
    till.save()
    return till


def attempt(caller, code: str = "9001") -> requests.Response:
    params = {"promotionId": "4821907735", "openid": "o", "mobile": "1", "thirdDeliverCode": code}
    return caller.post(caller.params("deliver.promotion", **params))


def says_success(response: requests.Response) -> bool:
    try:
        return response.json().get("success") is True
    except ValueError:
        return False


@pytest.mark.parametrize(("fault", "acts"), [("drop_before", False), ("drop_after", True)])
def test_dropped_connection_is_reset_before_or_after_acting(caller, fault, acts):
    caller.fault(fault)
    with pytest.raises(requests.ConnectionError):
        attempt(caller)
    assert bool(caller.coupon("9001")) is acts


@pytest.mark.parametrize(
    ("fault", "acts", "status"),
    [
        ("http_500", False, 500),
        ("http_500_after", True, 500),
        ("garbage", False, 200),
        ("garbage_after", True, 200),
        ("empty_after", True, 200),
        ("html_502", False, 502),
    ],
)
def test_answer_is_unreadable_before_or_after_acting(caller, fault, acts, status):
    caller.fault(fault)
    response = attempt(caller)
    assert response.status_code == status
    assert not says_success(response)
    assert bool(caller.coupon("9001")) is acts


def test_empty_answer_is_empty_and_html_is_html(caller):
    caller.fault("empty_after", times=1)
    assert attempt(caller).content == b""
    caller.fault("html_502")
    response = attempt(caller, "9002")
    assert response.headers["Content-Type"].startswith("text/html")
    assert "502 Bad Gateway" in response.text


def test_truncated_answer_promises_more_than_comes(caller):
    caller.fault("truncated_after")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        attempt(caller)
    assert caller.coupon("9001")["delivered"] == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"fault": "busy"}, {"success": False, "resultCode": "009"}),
        ({"fault": "refuse"}, {"success": False, "resultCode": "002"}),
        (
            {"fault": "refuse", "code": "001", "message": "空"},
            {"success": False, "resultCode": "001", "message": "空"},
        ),
        ({"fault": "bad_signature"}, {"errorToken": "@@$-ERROR_$@@", "code": "25"}),
        ({"fault": "rate_limited"}, {"errorToken": "@@$-ERROR_$@@", "code": "37"}),
        ({"fault": "rate_limited", "code": "36"}, {"code": "36"}),
    ],
)
def test_refusal_has_the_gateways_or_the_services_own_form(caller, fault, expected):
    caller.fault(**fault)
    answer = attempt(caller).json()
    assert expected.items() <= answer.items()
    assert caller.coupon("9001") is None


@pytest.mark.parametrize("fault", ["latency", "latency_after"])
def test_latency_delays_the_answer(caller, fault):
    caller.fault(fault, latency_ms=150)
    started = time.monotonic()
    assert attempt(caller).json()["model"]["deliverSuccess"] is True
    assert time.monotonic() - started >= 0.15


@pytest.mark.parametrize(("fault", "held"), [("latency", False), ("latency_after", True)])
def test_caller_that_gives_up_finds_the_effect_late_or_at_once(caller, fault, held):
    caller.fault(fault, latency_ms=400)
    params = {"promotionId": "4821907735", "openid": "o", "mobile": "1", "thirdDeliverCode": "9001"}
    with pytest.raises(requests.Timeout):
        requests.post(f"{caller.url}/router", data=caller.params("deliver.promotion", **params), timeout=0.1)
    assert bool(caller.coupon("9001")) is held
    wait_for(lambda: caller.coupon("9001"))
    assert caller.coupon("9001")["delivered"] == 1


def test_latency_goes_together_with_another_fault(caller):
    caller.control(
        "POST",
        "faults",
        {"rules": [{"fault": "latency", "latency_ms": 100}, {"fault": "busy", "latency_ms": 50}]},
    )
    started = time.monotonic()
    assert attempt(caller).json()["resultCode"] == "009"
    assert time.monotonic() - started >= 0.15


def test_rule_is_for_its_method_and_its_code_and_as_often_as_told(caller):
    caller.fault("busy", DELIVER, times=1, where={"thirdDeliverCode": "9002"})
    assert caller.json("query.promotion")["success"] is True
    assert attempt(caller, "9001").json()["success"] is True
    assert attempt(caller, "9002").json()["resultCode"] == "009"
    assert attempt(caller, "9002").json()["success"] is True
    [rule] = caller.control("GET", "faults")["rules"]
    assert rule["fired"] == 1


def test_same_seed_gives_the_same_run(caller):
    rule = {"method": "*", "fault": "busy", "probability": 0.5}

    def run(seed: int) -> list[bool]:
        caller.control("POST", "faults", {"seed": seed, "rules": [rule]})
        return [caller.json("query.promotion")["success"] for _ in range(30)]

    first = run(1)
    assert run(1) == first
    assert run(2) != first
    assert set(Counter(first)) == {True, False}


def test_first_of_several_rules_that_fires_wins(caller):
    caller.control("POST", "faults", {"rules": [{"fault": "busy", "times": 1}, {"fault": "http_500"}]})
    assert attempt(caller).status_code == 200
    assert attempt(caller).status_code == 500


def test_cleared_faults_are_gone(caller):
    caller.fault("busy")
    assert caller.control("DELETE", "faults")["rules"] == []
    assert attempt(caller).json()["success"] is True


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "explode"},
        {"fault": "busy", "probability": 2},
        {"fault": "busy", "times": -1},
        {"fault": "latency", "latency_ms": "slow"},
        {"fault": "busy", "where": []},
        {"fault": "busy", "when": "now"},
        "busy",
    ],
)
def test_rule_that_cannot_be_understood_is_refused_and_changes_nothing(caller, rule):
    caller.fault("busy")
    answer = caller.session.post(f"{caller.url}/control/faults", json={"rules": [rule]})
    assert answer.status_code == 400
    assert len(caller.control("GET", "faults")["rules"]) == 1


def test_request_log_tells_the_fault_and_what_was_answered(caller):
    caller.fault("drop_after", DELIVER, times=1)
    with pytest.raises(requests.ConnectionError):
        attempt(caller)
    attempt(caller)
    second, first = caller.control("GET", "requests", code="9001")["requests"]
    assert (first["fault"], first["outcome"]) == ("drop_after", "ok")
    assert first["answer"].startswith("[reset] {")
    assert json.loads(first["answer"].removeprefix("[reset] "))["model"]["deliverSuccess"] is True
    assert (second["fault"], second["outcome"]) == ("", "refused 004")
    assert "sign" not in first["params"]
    assert first["params"]["thirdDeliverCode"] == "9001"


def test_literal_answer_survives_a_fault_on_another_call(caller):
    caller.fault("garbage_after", DELIVER)
    attempt(caller)
    caller.control("DELETE", "faults")
    assert caller.verify("9001", openid="o") == DONE
