"""What a call that changes something came to, in all five shapes, as printed and as they really come."""

import json
from datetime import UTC, datetime

import pytest

from integrations.dfire import (
    DeliveryRefusedError,
    PermanentError,
    ResultClass,
    RetryableError,
    UncertainError,
)
from tests.dfire.outside import success
from tests.dfire.samples import COUPON, SHOP, SPENT
from tests.dfire.test_params import TERMS

ID = "285c122f62784f3b9ba060c9459e9dcf"
DELIVERY = {
    "promotionCustomerId": "00104454ey0HjkV9QmX8btuT9X3VlW",
    "customerregisterId": "22863e1cca9d4811b845c73ecd0912cd",
    "promotionId": "0010445469WUq4BDQZvbO1bDWMAx0a",
    "name": "折扣券1.0折",
    "starttime": 1498141243097,
    "endtime": 1498752000000,
    "canDeliver": True,
    "delivertime": 1498141243097,
    "deliverSuccess": True,
    "thirdDeliverCode": "16",
}


def model(printed: str) -> bytes:
    """An answer around a model that need not be JSON."""
    return f'{{\n\n"success": true,\n\n"model": {printed},\n"totalRecord": 0\n}}\n'.encode()


def test_a_delivery_is_read_as_the_seed_shows_it(answering):
    delivery = answering(success(DELIVERY)).deliver_promotion(**COUPON).value
    assert delivery.code == "16"
    assert delivery.promotion_id == "0010445469WUq4BDQZvbO1bDWMAx0a"
    assert delivery.customer_register_id == "22863e1cca9d4811b845c73ecd0912cd"
    assert delivery.can_deliver is True
    assert delivery.valid_until == datetime(2017, 6, 29, 16, tzinfo=UTC)
    assert delivery.delivered_at == datetime(2017, 6, 22, 14, 20, 43, 97_000, tzinfo=UTC)


@pytest.mark.parametrize("refused", [False, "false"])
@pytest.mark.parametrize("can_deliver", [True, False, None])
def test_a_refused_delivery_is_permanent_although_success_is_true(answering, refused, can_deliver):
    body = success({**DELIVERY, "deliverSuccess": refused, "canDeliver": can_deliver})
    with pytest.raises(DeliveryRefusedError) as caught:
        answering({**body, "message": "已领完"}).deliver_promotion(**COUPON)
    assert isinstance(caught.value, PermanentError)
    assert caught.value.can_deliver is can_deliver
    assert "已领完" in caught.value.message
    assert caught.value.exchange.http_status == 200


@pytest.mark.parametrize("body", [{}, {"canDeliver": True}, None, [], "x", True, {"deliverSuccess": "maybe"}, [{}, {}]])
def test_a_delivery_that_does_not_say_whether_it_succeeded_is_uncertain(answering, body):
    with pytest.raises(UncertainError):
        answering(success(body)).deliver_promotion(**COUPON)


SAVED = [
    f'[\n    {{\n      "{ID}"\n    }}\n  ]',
    f'[{{"{ID}"}}]',
    f'{{ "{ID}" }}',
    f'[\r\n\t{{ \t"{ID}"\r\n}} ]',
    f'"{ID}"',
    f'["{ID}"]',
    f'{{"id": "{ID}"}}',
    f'[{{"id": "{ID}"}}]',
]


@pytest.mark.parametrize("printed", SAVED)
def test_the_saved_id_is_read_in_every_form(answering, printed):
    assert answering(model(printed)).save_promotion(terms=TERMS).value == ID


def test_a_byte_order_mark_and_a_success_as_string_do_no_harm(answering):
    body = b"\xef\xbb\xbf" + model(f'"{ID}"').replace(b"true", b'"true"')
    assert answering(body).save_promotion(terms=TERMS).value == ID


@pytest.mark.parametrize("printed", ["null", "[]", "{}", "true", '""', '" "', '["a","b"]', "[[]]", '{"id": null}'])
def test_a_save_without_an_id_is_uncertain(answering, printed):
    with pytest.raises(UncertainError):
        answering(model(printed)).save_promotion(terms=TERMS)


BOOLEAN_CALLS = [
    pytest.param(lambda client: client.verify_promotion(**SPENT), id="verify"),
    pytest.param(lambda client: client.delete_promotion(**SHOP, promotion_id="1001"), id="delete"),
    pytest.param(lambda client: client.delete_customer_promotion(**COUPON), id="delete customer"),
]
YES = ["[\n    {\n      true\n    }\n  ]", "[{true}]", "{ true }", "true", "[true]", '"true"', "[ true ]"]
NO = ["[\n    {\n      false\n    }\n  ]", "[{false}]", "false", "[false]", '"false"']


@pytest.mark.parametrize("call", BOOLEAN_CALLS)
@pytest.mark.parametrize("printed", YES)
def test_a_yes_is_read_in_every_form(answering, call, printed):
    assert call(answering(model(printed))).value is None


@pytest.mark.parametrize("call", BOOLEAN_CALLS)
@pytest.mark.parametrize("printed", NO)
def test_a_no_is_a_refusal(answering, call, printed):
    with pytest.raises(PermanentError):
        call(answering(model(printed)))


@pytest.mark.parametrize("call", BOOLEAN_CALLS)
@pytest.mark.parametrize("printed", ["null", "[]", "{}", "1", '"x"', "[true, true]", "[[true]]", "[{true}, {true}]"])
def test_neither_yes_nor_no_is_uncertain(answering, call, printed):
    with pytest.raises(UncertainError):
        call(answering(model(printed)))


@pytest.mark.parametrize("call", BOOLEAN_CALLS)
def test_without_a_model_only_the_code_for_success_is_a_yes(answering, call):
    assert call(answering({"success": True, "resultCode": "000", "message": "操作成功!"})).value is None
    with pytest.raises(UncertainError):
        call(answering({"success": True}))


HOSTILE = [
    b"",
    b"\x00",
    b"\xff\xfe{}",
    b'{"success": true, "model": "\xc3',
    b"<html>",
    b"null",
    b"[]",
    b'"success"',
    b"{}",
    b'{"success": null}',
    b'{"success": 1, "model": true}',
    b'{"model": [true]}',
    b'{"success": true, "model": NaN}',
    b'{"success": true, "model": Infinity}',
    b'{"success": true, "model": [true]',
    b'{"success": true, "model": ' + b"[" * 100_000,
    b'{"success": true, "model": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"success": true, "model": ' + b"9" * 5_000 + b"}",
    b'{"model":{"' * 5_000,
    b'{"success": true, "model": [ { true } ], "model": [ { true } ]}',
    json.dumps({"success": True, "model": [[[["x"]]]]}).encode("utf-16"),
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_answer_leaves_a_write_uncertain_and_a_read_to_be_repeated(answering, body):
    client = answering(body)
    with pytest.raises(UncertainError) as caught:
        client.verify_promotion(**SPENT)
    assert caught.value.result_class is ResultClass.UNCERTAIN
    assert caught.value.exchange.http_status == 200
    with pytest.raises(RetryableError):
        client.query_promotions(**SHOP)


def test_what_is_kept_of_an_answer_is_bounded_and_fits_a_database(answering):
    body = b"\x00\xff" + "券".encode() * 10_000
    with pytest.raises(UncertainError) as caught:
        answering(body).verify_promotion(**SPENT)
    answer = caught.value.exchange.answer
    assert len(answer) == 4000
    assert answer.startswith("\ufffd\ufffd券")


def test_texts_from_dfire_fit_a_database(answering):
    body = b'{"success": false, "resultCode": "002", "message": "a\\u0000b\\ud800c"}'
    with pytest.raises(PermanentError) as caught:
        answering(body).verify_promotion(**SPENT)
    assert caught.value.message == "a\ufffdb\ufffdc"
    (promotion,) = answering(b'{"success": true, "model": [{"title": "\\ud800"}]}').query_promotions(**SHOP).value
    assert promotion.title == "\ufffd"
