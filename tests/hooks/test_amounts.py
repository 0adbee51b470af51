"""Yuan and 折 become whole yuan and whole percents exactly, or are refused: never rounded (PROTOCOLS §2)."""

import json
from typing import Any

import pytest

from coupons.choices import Kind
from coupons.models import CouponTemplate
from merchants.models import SmartCouponAccount
from tests.hooks.helpers import address_of, create_push, made, post, refused

pytestmark = pytest.mark.django_db


def push(platform: SmartCouponAccount, amount: str, coupon_type: int, field: str = "coupon_amount") -> Any:
    """Push an amount in the very digits given."""
    body = json.dumps(create_push(coupon_type=coupon_type, **{field: "@"})).replace('"@"', amount)
    return post(address_of(platform), body.encode())


@pytest.mark.parametrize(
    ("amount", "fen"),
    [
        ("10", 1000),
        ("10.0", 1000),
        ("10.00000000000000000000000000000000000000", 1000),
        ("1e1", 1000),
        ("1E+1", 1000),
        ("0.1e2", 1000),
        ("100e-1", 1000),
        ("1", 100),
        ("100000", 10_000_000),
    ],
)
def test_whole_yuan_are_taken(platform: SmartCouponAccount, amount: str, fen: int) -> None:
    assert push(platform, amount, 0).status_code == 200
    template = CouponTemplate.objects.get()
    assert (template.kind, template.amount_fen, template.percent_paid) == (Kind.CASH, fen, None)


@pytest.mark.parametrize(
    "amount",
    [
        *["10.5", "0", "-0", "0.0", "-0.0", "-10", "0.01", "0.001", "1e-400", "1e-10", "1e400", "-1e400"],
        *["1e99999999999999999999", "1e-99999999999999999999", "9" * 5000, "-" + "9" * 5000, "9" * 30],
        *["10.000000000000000000000000000000000001", "9.999999999999999999999999999999999999"],
        *["100001", "1000000000", "21474836.48", "1000000000.000000001"],
    ],
)
def test_what_is_not_whole_yuan_within_reason_is_refused(platform: SmartCouponAccount, amount: str) -> None:
    before = made()
    status, code, message = refused(push(platform, amount, 0))
    assert (status, code) == (400, "invalid_field")
    assert message.startswith("coupon_amount: ")
    assert made() == before


@pytest.mark.parametrize(
    ("amount", "percent"), [("7.5", 75), ("9", 90), ("9.0", 90), ("0.1", 1), ("9.9", 99), ("85e-1", 85), ("5.50", 55)]
)
def test_a_discount_of_seven_and_a_half_means_that_75_percent_are_paid(
    platform: SmartCouponAccount, amount: str, percent: int
) -> None:
    assert push(platform, amount, 1).status_code == 200
    template = CouponTemplate.objects.get()
    assert (template.kind, template.amount_fen, template.percent_paid) == (Kind.DISCOUNT, None, percent)


@pytest.mark.parametrize(
    "amount",
    [
        *["0", "10", "10.0", "85", "100", "-1", "-0.0", "0.05", "7.55", "9.99", "0.01", "1e400", "1e-400"],
        *["9.9999999999999999999999999999999999999", "7.5000000000000000000000000000000000001", "9" * 5000],
    ],
)
def test_a_discount_that_is_none_or_not_a_whole_percent_is_refused(platform: SmartCouponAccount, amount: str) -> None:
    before = made()
    status, code, message = refused(push(platform, amount, 1))
    assert (status, code) == (400, "invalid_field")
    assert message.startswith("coupon_amount: ")
    assert made() == before


@pytest.mark.parametrize(
    "amount", ["-1", "-0.01", "0.001", "1e400", "1000000000", "100000.01", "1e-99999999999999999999"]
)
def test_a_least_spend_that_tills_could_not_hold_is_refused(platform: SmartCouponAccount, amount: str) -> None:
    before = made()
    status, code, message = refused(push(platform, amount, 0, "min_buy_price"))
    assert (status, code) == (400, "invalid_field")
    assert message.startswith("min_buy_price: ")
    assert made() == before
