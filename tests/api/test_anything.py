"""Whatever is sent, nothing breaks: each answer is one that the description has for this very call."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coupons.models import CouponTemplate, IssuedCoupon
from tests.api.caller import Caller
from tests.api.described import undescribed
from tests.factories import issued

pytestmark = pytest.mark.django_db
NAMES = [
    "merchant_id", "coupon_id", "identifier", "mobile", "openid", "expiration_time", "at", "amount_fen", "channel",
    "shop_entity_id", "reason", "to_identifier", "to_openid", "status", "cursor", "limit", "Ünknown\x00",
]  # fmt: skip
LIKELY = st.sampled_from([
    "88", "13800138000", "2099-12-31T23:59:59+08:00", "9999-12-31T23:59:59-23:59", "2026-11-28T00:00:00+99:99",
    "dine_in", "", " ", "\x00", "\ud800", "erased:1", 0, -1, 10**400, 1.5, True, None, "cD0xMg==", "bz0xMDAwJnA9MQ==",
])  # fmt: skip
VALUES = LIKELY | st.text(max_size=300) | st.integers() | st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=12,
)  # fmt: skip
FIELDS = {
    "issue": ["expiration_time", "identifier", "mobile", "openid"],
    "check": ["at", "amount_fen", "channel", "shop_entity_id"],
    "revoke": ["reason"],
    "transfer": ["to_identifier", "to_openid"],
    "put": ["mobile", "openid"],
    "redeem": ["order_date", "order_id", "paid_fen", "saved_fen", "shop_entity_id"],
}
CALLS = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda call: st.tuples(
        st.just(call),
        st.dictionaries(st.sampled_from(FIELDS[call]), VALUES, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
    )
)
FUZZ = settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def coupon(template: CouponTemplate) -> IssuedCoupon:
    """A coupon to ask about."""
    return issued(template)


def is_described(method: str, path: str, answer: Any) -> None:
    """A success, or a refusal in the one form, with a status and a code that this call is said to give."""
    assert answer.status_code < 500, answer.content
    assert undescribed(method, path, answer.status_code, answer.json()) == []


@FUZZ
@given(called=CALLS, filled=st.booleans())
def test_any_body_is_answered(
    api: Caller, coupon: IssuedCoupon, called: tuple[str, dict[str, Any]], filled: bool
) -> None:
    call, body = called
    if filled:
        owned = {
            "issue": {"merchant_id": "88", "coupon_id": coupon.template.coupon_id},
            "put": {"merchant_id": "88"},
            "redeem": {"order_id": "1", "paid_fen": 100, "saved_fen": 100},
        }
        body = {**owned.get(call, {}), **body}
    if call == "put":
        is_described("PUT", "customers/m-1/", api.put("customers/m-1/", body))
    else:
        path = "coupons/" if call == "issue" else f"coupons/{coupon.code}/{call}/"
        is_described("POST", path, api.post(path, body, idempotency_key=str(hash(str(body)))))


@FUZZ
@given(query=st.dictionaries(st.sampled_from(NAMES), LIKELY.filter(lambda value: value != "\ud800"), max_size=3))
def test_any_query_is_answered(api: Caller, coupon: IssuedCoupon, query: dict[str, Any]) -> None:
    for path in ("coupons/", "coupon-templates/"):
        is_described("GET", path, api.get(f"{path}?{urlencode(query)}"))


@FUZZ
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_answered(api: Caller, coupon: IssuedCoupon, raw: bytes) -> None:
    path = f"coupons/{coupon.code}/check/"
    is_described("POST", path, api.post(path, raw))
