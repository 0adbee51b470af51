"""The two lists that dfire answers with: promotions, and a customer's coupons."""

from datetime import UTC, date, datetime

import pytest

from integrations.dfire import CouponState, RetryableError
from tests.dfire.outside import http, success
from tests.dfire.samples import HOLDER, SHOP

PROMOTION = {
    "id": "00084611eDearhM2QAL9dJkkivhGBz",
    "entityId": "00084611",
    "plateEntityId": "00084611",
    "title": "优惠券11元全场现金券",
    "startTime": 1496246400000,
    "endTime": 1498752000000,
    "chainStoreIds": ["00026863"],
    "thirdPromotionId": "4",
}
HELD = {"thirdDeliverCode": "9170616980313735", "openid": "oUA7t", "entityId": "99929155"}


def test_promotions_are_read_as_the_seed_shows_them(answering):
    (promotion,) = answering(success([PROMOTION])).query_promotions(**SHOP).value
    assert promotion.id == "00084611eDearhM2QAL9dJkkivhGBz"
    assert promotion.third_promotion_id == "4"
    assert promotion.title == "优惠券11元全场现金券"
    assert promotion.chain_store_ids == ("00026863",)


def test_the_last_day_of_a_promotion_is_its_local_date(answering):
    (promotion,) = answering(success([PROMOTION])).query_promotions(**SHOP).value
    assert datetime.fromtimestamp(promotion.end_ms / 1000, UTC).date() == date(2017, 6, 29)
    assert (promotion.start_date, promotion.end_date) == (date(2017, 6, 1), date(2017, 6, 30))


def test_times_may_be_strings(answering):
    row = {**PROMOTION, "startTime": "1496246400000", "endTime": " 1498752000000 "}
    (promotion,) = answering(success([row])).query_promotions(**SHOP).value
    assert (promotion.start_date, promotion.end_date) == (date(2017, 6, 1), date(2017, 6, 30))


@pytest.mark.parametrize("time", [None, "", "soon", -1, 10**18, True, [1], {}, "１２", 1.5, 1e308, "9" * 99])
def test_a_time_that_is_none_is_read_as_missing(answering, time):
    (promotion,) = answering(success([{**PROMOTION, "endTime": time}])).query_promotions(**SHOP).value
    assert promotion.end_ms is None
    assert promotion.end_date is None


@pytest.mark.parametrize(
    ("stores", "expected"),
    [(None, ()), ("00026863", ("00026863",)), ("1,2", ("1", "2")), ([26863, "x"], ("26863", "x")), ([], ())],
)
def test_shops_of_a_promotion_may_come_in_any_form(answering, stores, expected):
    (promotion,) = answering(success([{**PROMOTION, "chainStoreIds": stores}])).query_promotions(**SHOP).value
    assert promotion.chain_store_ids == expected


def test_a_promotion_with_missing_fields_is_still_listed(answering):
    (promotion,) = answering(success([{"id": "x"}])).query_promotions(**SHOP).value
    assert (promotion.id, promotion.title, promotion.start_date) == ("x", "", None)


@pytest.mark.parametrize("body", [success([]), success(None), {"success": True, "totalRecord": 9}])
def test_no_rows_are_an_empty_list_whatever_total_record_says(answering, body):
    client = answering(body)
    assert client.query_promotions(**SHOP).value == []
    assert client.query_customer_promotions(**SHOP, **HOLDER).value == []


@pytest.mark.parametrize("rows", [["x"], [None], [[]], [{}], {}, "text", True, 7, [HELD, 1]])
def test_a_list_with_a_row_that_is_no_object_is_a_failed_read(answering, rows):
    client = answering(success(rows))
    with pytest.raises(RetryableError):
        client.query_promotions(**SHOP)
    with pytest.raises(RetryableError):
        client.query_customer_promotions(**SHOP, **HOLDER)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (1, CouponState.USED),
        ("1", CouponState.USED),
        (2, CouponState.TRANSFERRED),
        ("2", CouponState.TRANSFERRED),
        (0, CouponState.HELD),
        (3, CouponState.HELD),
        (None, CouponState.HELD),
        (True, CouponState.HELD),
        ([1], CouponState.HELD),
    ],
)
def test_the_status_of_a_customers_coupon(answering, status, state):
    rows = [{**HELD, "status": status}]
    (coupon,) = answering(success(rows)).query_customer_promotions(**SHOP, **HOLDER).value
    assert coupon.state is state


def test_a_customers_coupon_without_status_is_held(answering):
    (coupon,) = answering(success([HELD])).query_customer_promotions(**SHOP, **HOLDER).value
    assert (coupon.state, coupon.code, coupon.openid) == (CouponState.HELD, "9170616980313735", "oUA7t")


def test_the_code_is_stripped_and_may_be_missing_or_a_number(answering):
    rows = [{**HELD, "thirdDeliverCode": code} for code in ("\n 100101", None, 100101)]
    coupons = answering(success(rows)).query_customer_promotions(**SHOP, **HOLDER).value
    assert [coupon.code for coupon in coupons] == ["100101", "", "100101"]


@pytest.mark.parametrize("code", [["100101"], {"a": 1}, 1.5])
def test_a_code_that_cannot_be_read_is_not_taken_for_absence(answering, code):
    client = answering(success([HELD, {**HELD, "thirdDeliverCode": code}]))
    with pytest.raises(RetryableError):
        client.query_customer_promotions(**SHOP, **HOLDER)


def test_an_answer_over_the_limit_is_no_answer(outside, connect):
    rows = b'{"success": true, "model": [' + b" " * (8 * 1024 * 1024) + b"]}"
    client = connect(outside(http(rows)))
    with pytest.raises(RetryableError) as caught:
        client.query_promotions(**SHOP)
    assert "longer than" in caught.value.message


def test_a_long_list_within_the_limit_is_read(answering):
    rows = answering(success([PROMOTION] * 20_000)).query_promotions(**SHOP).value
    assert len(rows) == 20_000
