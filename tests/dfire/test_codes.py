"""Every code of PROTOCOLS §1 "Error codes" leads to its remedy, over the wire, for reads and for writes."""

import pytest

from integrations.dfire import (
    ConfigurationError,
    DuplicateError,
    EmptyError,
    PermanentError,
    ResultClass,
    RetryableError,
    UncertainError,
)
from integrations.dfire.codes import GATEWAY_CODES, RESULT_CODES
from integrations.dfire.envelope import open_envelope
from tests.dfire.outside import gateway_error, http, refusal
from tests.dfire.samples import COUPON, SHOP

GATEWAY = {
    RetryableError: ["1", "7", "34", "35", "36", "37"],
    ConfigurationError: [
        *("2", "3", "8"),
        *("22", "23", "24", "25", "26", "27", "28", "29", "30"),
        *("38", "39", "40", "41", "42"),
    ],
    PermanentError: ["4", "5", "6", "9", "20", "21", "31", "32", "33"],
}
RESULT = {
    RetryableError: ["009"],
    ConfigurationError: ["011", "013"],
    PermanentError: [
        *("002", "003", "005", "012"),
        *("014", "015", "016", "017", "018", "019", "020", "021", "022"),
    ],
    DuplicateError: ["004"],
    EmptyError: ["001"],
}


def rows(table):
    return [pytest.param(error, code, id=code) for error, codes in table.items() for code in codes]


def deliver_error(client):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, is what the tests ask
        client.deliver_promotion(**COUPON)
    return caught.value


@pytest.mark.parametrize(("kind", "code"), rows(GATEWAY))
def test_a_gateway_code_has_its_remedy(answering, kind, code):
    error = deliver_error(answering(gateway_error(code, "isv.parameters-mismatch")))
    assert type(error) is kind
    assert (error.code, error.sub_codes, error.http_status) == (code, ("isv.parameters-mismatch",), 200)
    assert error.message == "坏了; 看文档; 细节"
    assert error.result_class.value == kind.__name__.removesuffix("Error").lower()


@pytest.mark.parametrize(("kind", "code"), rows(RESULT))
def test_a_result_code_has_its_remedy(answering, kind, code):
    error = deliver_error(answering(refusal(code)))
    assert type(error) is kind
    assert (error.code, error.message, error.http_status) == (code, "不行", 200)


def test_the_tables_hold_no_code_beyond_the_protocol():
    assert set(GATEWAY_CODES) == {code for codes in GATEWAY.values() for code in codes}
    assert set(RESULT_CODES) == {code for codes in RESULT.values() for code in codes}


@pytest.mark.parametrize("code", ["2", "4", "9", "11", "25"])
def test_a_gateway_code_means_nothing_as_a_result_code(answering, code):
    assert type(deliver_error(answering(refusal(code)))) is UncertainError


@pytest.mark.parametrize("code", ["001", "004", "009"])
def test_a_result_code_means_nothing_as_a_gateway_code(answering, code):
    assert type(deliver_error(answering(gateway_error(code)))) is UncertainError


def test_a_gateway_code_may_be_a_number(answering):
    assert type(deliver_error(answering(gateway_error(25)))) is ConfigurationError


@pytest.mark.parametrize(("code", "slow"), [("36", True), ("37", True), ("34", False), ("1", False)])
def test_only_the_limits_of_the_application_slow_the_account_down(answering, code, slow):
    assert deliver_error(answering(gateway_error(code))).slow_down is slow


@pytest.mark.parametrize("body", [refusal("999"), gateway_error("99"), gateway_error(""), {"success": False}])
def test_an_unknown_or_missing_code_is_an_unknown_outcome(answering, body):
    client = answering(body)
    assert type(deliver_error(client)) is UncertainError
    with pytest.raises(RetryableError):
        client.query_promotions(**SHOP)


def test_a_service_that_ran_out_of_time_may_have_acted(answering):
    client = answering(gateway_error("1", "isp.dfire-shop-deliver-promotion-service-timeout"))
    assert type(deliver_error(client)) is UncertainError
    with pytest.raises(RetryableError):
        client.query_promotions(**SHOP)


def test_a_service_that_is_unavailable_has_not_acted(answering):
    assert type(deliver_error(answering(gateway_error("1", "isp.x-service-unavailable")))) is RetryableError


@pytest.mark.parametrize("status", [200, 400, 403, 429, 500, 502, 503])
def test_a_dfire_answer_is_classed_by_its_code_whatever_the_http_status(answering, status):
    error = deliver_error(answering(refusal("002"), status=status))
    assert type(error) is PermanentError
    assert error.http_status == status


@pytest.mark.parametrize(
    ("status", "on_write", "on_read"),
    [
        (429, RetryableError, RetryableError),
        (503, RetryableError, RetryableError),
        (500, UncertainError, RetryableError),
        (502, UncertainError, RetryableError),
        (504, UncertainError, RetryableError),
        (200, UncertainError, RetryableError),
        (408, UncertainError, RetryableError),
        (401, UncertainError, ConfigurationError),
        (403, UncertainError, ConfigurationError),
        (404, UncertainError, ConfigurationError),
        (302, UncertainError, ConfigurationError),
    ],
)
def test_an_answer_that_is_not_dfires_is_judged_by_its_status(answering, status, on_write, on_read):
    client = answering(b"<html><h1>nginx</h1></html>", status=status)
    error = deliver_error(client)
    assert type(error) is on_write
    assert error.http_status == status
    assert error.exchange.answer == "<html><h1>nginx</h1></html>"
    with pytest.raises(on_read):
        client.query_promotions(**SHOP)


def test_http_429_slows_the_account_down(answering):
    assert deliver_error(answering(b"", status=429)).slow_down is True
    assert deliver_error(answering(b"", status=503)).slow_down is False


def test_a_success_under_a_failing_status_is_not_believed(answering):
    body = {"success": True, "model": {"deliverSuccess": True}}
    assert type(deliver_error(answering(body, status=500))) is UncertainError


def test_001_is_an_empty_list_for_both_queries(answering):
    client = answering(refusal("001"))
    holder = {"appid": "wx", "openid": "o"}
    assert client.query_promotions(**SHOP).value == []
    reply = client.query_customer_promotions(**SHOP, **holder)
    assert reply.value == []
    assert '"001"' in reply.exchange.answer


def test_a_gateway_error_with_broken_sub_errors_is_still_classed():
    for sub_errors in (None, "x", {}, [None, 7, {"code": None}, {"code": ["x"]}], [{}] * 10_000):
        body = http({**gateway_error("25"), "subErrors": sub_errors}).partition(b"\r\n\r\n")[2]
        with pytest.raises(ConfigurationError) as caught:
            open_envelope(status=200, body=body, writes=True)
        assert caught.value.sub_codes == ()


def test_the_classes_cover_every_remedy_once():
    kinds = [RetryableError, UncertainError, ConfigurationError, PermanentError, DuplicateError, EmptyError]
    assert {kind.result_class for kind in kinds} | {ResultClass.OK} == set(ResultClass)
