"""Each call sends exactly its parameters, signed, and keeps what was said."""

from datetime import UTC, date, datetime

import pytest

from integrations.dfire import (
    ConfigurationError,
    PermanentError,
    ResultClass,
    TransferMethodError,
    verify,
)
from integrations.dfire import methods as names
from integrations.dfire.params import save_params
from tests.dfire.outside import http, refusal, success
from tests.dfire.samples import COUPON, DELIVERED, HOLDER, NOW, SECRET, SHOP, SPENT
from tests.dfire.test_params import TERMS

WIRE_SHOP = {"entityId": "99927548", "plateEntityId": "99927571"}
WIRE_HOLDER = {"appid": "wxa5000000027822", "openid": "o3Pm6uD6KVk"}
WIRE_COUPON = {**WIRE_SHOP, **WIRE_HOLDER, "promotionId": "1001", "thirdDeliverCode": "9170616980313735"}
WIRE_ORDER = {"orderId": "20170601001", "orderDate": "20170601", "needFee": "1000", "savedFee": "100"}
MOVE = {key: COUPON[key] for key in ("promotion_id", "appid", "mobile", "code")}
MOVE |= {**SHOP, "from_openid": "giver", "to_openid": "receiver"}

CALLS = [
    ("dfire.shop.query.promotion", lambda c: c.query_promotions(**SHOP), success([]), WIRE_SHOP),
    (
        "dfire.shop.deliver.promotion",
        lambda c: c.deliver_promotion(**COUPON),
        DELIVERED,
        {**WIRE_COUPON, "mobile": "15000000000"},
    ),
    (
        "dfire.shop.customer.query.promotion",
        lambda c: c.query_customer_promotions(**SHOP, **HOLDER),
        success([]),
        {**WIRE_SHOP, **WIRE_HOLDER, "currDate": "20170601"},
    ),
    ("dfire.shop.save.promotion", lambda c: c.save_promotion(terms=TERMS), success("x"), save_params(TERMS)),
    (
        "dfire.shop.verify.promotion",
        lambda c: c.verify_promotion(**SPENT),
        success(True),
        {**WIRE_COUPON, **WIRE_ORDER},
    ),
    (
        "dfire.shop.delete.promotion",
        lambda c: c.delete_promotion(**SHOP, promotion_id="1001"),
        success(True),
        {**WIRE_SHOP, "promotionId": "1001"},
    ),
    (
        "dfire.shop.give.promotion",
        lambda c: c.transfer_promotion(**MOVE),
        success(True),
        {
            **{key: value for key, value in WIRE_COUPON.items() if key != "openid"},
            "mobile": "15000000000",
            "fromOpenid": "giver",
            "toOpenid": "receiver",
        },
    ),
    (
        "dfire.shop.delete.customer.promotion",
        lambda c: c.delete_customer_promotion(**COUPON),
        success(True),
        {**WIRE_COUPON, "mobile": "15000000000"},
    ),
]


@pytest.mark.parametrize(("method", "call", "answer", "params"), CALLS, ids=[row[0] for row in CALLS])
def test_a_call_sends_its_parameters_and_nothing_else(outside, connect, method, call, answer, params):
    server = outside(http(answer))
    call(connect(server, transfer_method="dfire.shop.give.promotion"))
    (request,) = server.requests
    system = {
        "appKey": "cdc08577b61942442aa89390dacb25ad",
        "timestamp": "1496250000500",
        "v": "1.0",
        "method": method,
        "sign": request.params["sign"],
    }
    assert request.params == {**system, **params}
    assert verify(request.params, SECRET)


@pytest.mark.parametrize(("method", "call", "answer", "params"), CALLS, ids=[row[0] for row in CALLS])
def test_reply_and_error_both_carry_the_exchange_without_secret_or_signature(
    outside, connect, method, call, answer, params
):
    server = outside(http(answer))
    client = connect(server, transfer_method="dfire.shop.give.promotion")
    exchange = call(client).exchange
    server.answer = lambda _: http(refusal("011"), status=401)
    with pytest.raises(ConfigurationError) as caught:
        call(client)
    for record, status in ((exchange, 200), (caught.value.exchange, 401)):
        assert (record.method, record.http_status) == (method, status)
        assert params.items() <= record.request.items()
        assert "sign" not in record.request
        assert SECRET not in repr(record)
        assert record.started_at == datetime.fromtimestamp(NOW, UTC)
        assert 0 <= record.duration_ms < 5000
        assert record.answer.startswith('{"success": ')


def test_the_request_is_a_utf8_form_to_the_configured_path(outside, connect):
    server = outside(http(success("x")))
    connect(server).save_promotion(terms=TERMS)
    (request,) = server.requests
    assert request.line == "POST /router HTTP/1.1"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert b"title=9%E6%8A%98%E4%BC%98%E6%83%A0%E5%88%B8&" in request.raw_body
    assert "cookie" not in request.headers
    assert "authorization" not in request.headers


def test_the_date_of_a_customer_query_is_shanghais_unless_given(outside, connect):
    server = outside(http(success([])))
    client = connect(server, clock=lambda: datetime(2017, 5, 31, 15, 59, 59, tzinfo=UTC).timestamp())
    client.query_customer_promotions(**SHOP, **HOLDER)
    client.query_customer_promotions(**SHOP, **HOLDER, on=date(2018, 1, 2))
    assert [request.params["currDate"] for request in server.requests] == ["20170531", "20180102"]


def test_the_mobile_of_a_verification_is_sent_only_when_known(outside, connect):
    server = outside(http(success(True)))
    client = connect(server)
    client.verify_promotion(**SPENT)
    client.verify_promotion(**SPENT, mobile="15000000000")
    assert [request.params.get("mobile") for request in server.requests] == [None, "15000000000"]


def test_an_empty_transfer_method_is_an_error_before_anything_is_sent(outside, connect):
    server = outside(http(success(True)))
    client = connect(server)
    assert not client.can_transfer
    with pytest.raises(TransferMethodError, match="not set") as caught:
        client.transfer_promotion(**MOVE)
    assert caught.value.result_class is ResultClass.CONFIGURATION
    assert caught.value.exchange is None
    assert server.connections == 0


@pytest.mark.parametrize("spelling", [str, str.upper, lambda name: f" {name}\n"])
@pytest.mark.parametrize(
    "method",
    [
        "dfire.shop.query.promotion",
        "dfire.shop.deliver.promotion",
        "dfire.shop.customer.query.promotion",
        "dfire.shop.save.promotion",
        "dfire.shop.verify.promotion",
        "dfire.shop.delete.promotion",
        "dfire.shop.delete.customer.promotion",
        "dfire.shop.promotion.change.push",
    ],
)
def test_a_transfer_never_goes_out_under_another_calls_name(outside, connect, method, spelling):
    server = outside(http(success(True)))
    client = connect(server, transfer_method=spelling(method))
    assert not client.can_transfer
    with pytest.raises(TransferMethodError, match="another call's"):
        client.transfer_promotion(**MOVE)
    assert server.connections == 0


def test_only_the_two_queries_change_nothing():
    assert {"dfire.shop.query.promotion", "dfire.shop.customer.query.promotion"} == names.READ_ONLY
    assert names.changes_something("dfire.shop.give.promotion")


@pytest.mark.parametrize("field", ["entity_id", "plate_entity_id", "promotion_id", "appid", "openid", "mobile", "code"])
def test_a_blank_argument_is_refused_before_anything_is_sent(outside, connect, field):
    server = outside(http(DELIVERED))
    client = connect(server)
    with pytest.raises(ValueError, match="must not be blank"):
        client.deliver_promotion(**{**COUPON, field: " "})
    with pytest.raises(TypeError):
        client.deliver_promotion(**{**COUPON, field: 1001})
    with pytest.raises(ValueError, match="surrogates"):
        client.deliver_promotion(**{**COUPON, field: "\ud800"})
    assert server.connections == 0


@pytest.mark.parametrize("field", ["paid_fen", "saved_fen"])
def test_an_amount_below_zero_is_refused_before_anything_is_sent(outside, connect, field):
    server = outside(http(success(True)))
    with pytest.raises(ValueError, match=field):
        connect(server).verify_promotion(**{**SPENT, field: -1})
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "router",
        "ftp://x/router",
        "http://",
        "//x/router",
        "http://u:p@x/",
        "http://[x/",
        "http://x:99999/",
    ],
)
def test_an_address_that_cannot_work_is_refused_at_once(connect, url):
    with pytest.raises(ValueError, match="base_url"):
        connect(url)


@pytest.mark.parametrize("settings", [{"timeout_seconds": 0}, {"timeout_seconds": float("nan")}])
def test_a_timeout_that_cannot_work_is_refused_at_once(connect, settings):
    with pytest.raises(ValueError, match="timeout_seconds"):
        connect("http://127.0.0.1/router", **settings)


def test_a_client_does_not_show_its_secret(connect):
    assert SECRET not in repr(connect("http://127.0.0.1/router"))


def test_a_client_is_a_context_manager_and_can_be_closed_twice(outside, connect):
    with connect(outside(http(success([])))) as client:
        client.query_promotions(**SHOP)
    client.close()


def test_errors_survive_pickling(answering):
    import pickle

    with pytest.raises(PermanentError) as caught:
        answering(refusal("002")).verify_promotion(**SPENT)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.code, copy.exchange) == (PermanentError, "002", caught.value.exchange)
