"""Whatever is sent: never a server error, nothing stored but the record of the refusal, never an accepted forgery."""

import json
import os
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coupons.models import CouponTemplate
from integrations.dfire.signing import verify
from integrations.models import DfireCallback, Push
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.factories import published
from tests.hooks.helpers import address_of, callback, create_push, give_push, last_push, made, post, tell
from tests.hooks.revisions import KEY, campaign, grant, signed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_rate_limit")]


def tries(count: int) -> settings:
    """So many inputs, the same ones in every run; HYPOTHESIS_TRIES=20 multiplies them and draws new ones."""
    more = int(os.environ.get("HYPOTHESIS_TRIES", "1"))
    return settings(
        max_examples=count * more,
        deadline=None,
        database=None,
        derandomize=more == 1,
        suppress_health_check=list(HealthCheck),
    )


REFUSALS = {400, 404, 409}
CREATE_FIELDS = [*create_push(), "data_signature", "unknown", ""]
GIVE_FIELDS = list(give_push("1"))

texts = st.text(max_size=30) | st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010), max_size=3)
times = st.from_regex(r"[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}:[0-9]{2}", fullmatch=True)
numbers = (
    st.integers()
    | st.integers(-20, 20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-20, 20, places=1).map(float)
    | st.sampled_from([10**64, 10**4000, -(10**300), 2**31, 2**63, 1e308, 5e-324])
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts | times,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
# Numbers as no writer of JSON writes them.
literals = st.from_regex(r"-?[0-9]{1,30}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,25})?", fullmatch=True)


@pytest.fixture
def no_rate_limit() -> Any:
    """Thousands in a second are meant."""
    with override_settings(HOOK_RATE_LIMIT=0):
        yield


def send(url: str, body: bytes) -> None:
    """Push it; if it is refused, nothing is left but its record."""
    before, kept = made(), Push.objects.count()
    with transaction.atomic():
        response = post(url, body)
        if response.status_code == 200:
            assert list(response.json()) in (["result"], ["return_code", "return_msg", "campaign_id"],
                                             ["return_code", "return_msg", "coupon_id"])  # fmt: skip
            transaction.set_rollback(True)  # keeps the tables small
            return
        assert response.status_code in REFUSALS, (response.status_code, body)
        answer = response.json()
        assert answer["error"]["message"] if "error" in answer else answer["return_msg"]
        assert "result" not in answer
        assert answer.get("return_code", "fail") == "fail"
        assert made() == before, body
        assert Push.objects.count() == kept + 1
        assert last_push().status == response.status_code


def body_of(push: dict[str, Any]) -> bytes:
    """JSON; every number however long."""
    return json.dumps(push).encode()


@tries(250)
@given(body=st.binary(max_size=200))
def test_any_bytes_as_a_push(platform: SmartCouponAccount, body: bytes) -> None:
    send(address_of(platform), body)
    send(address_of(platform, "coupon-detail"), body)


@tries(250)
@given(
    changes=st.dictionaries(st.sampled_from(CREATE_FIELDS), values, min_size=1, max_size=3),
    kind=st.sampled_from([1, 2]),
)
@example(changes={"coupon_amount": 10**9}, kind=1)
def test_any_values_in_a_coupon(platform: SmartCouponAccount, changes: dict[str, Any], kind: int) -> None:
    send(address_of(platform), body_of(create_push(**{"expiration_type": kind, **changes})))


@tries(250)
@given(changes=st.dictionaries(st.sampled_from(GIVE_FIELDS), values, min_size=1, max_size=2))
def test_any_values_in_a_coupon_detail(
    platform: SmartCouponAccount, merchant: Merchant, changes: dict[str, Any]
) -> None:
    coupon_id = (CouponTemplate.objects.first() or published(merchant=merchant)).coupon_id
    send(address_of(platform, "coupon-detail"), body_of({**give_push(coupon_id), **changes}))


@tries(150)
@given(
    changes=st.dictionaries(st.sampled_from([*campaign(3), "coupon_name", "unknown"]), values, max_size=3),
    revision=st.sampled_from([2, 3]),
)
def test_any_values_in_a_campaign(platform: SmartCouponAccount, changes: dict[str, Any], revision: int) -> None:
    send(address_of(platform), body_of({**campaign(revision), **changes}))


@tries(150)
@given(
    changes=st.dictionaries(st.sampled_from([*grant("1", 3), "identifier", "unknown"]), values, max_size=2),
    revision=st.sampled_from([2, 3]),
)
def test_any_values_in_a_campaigns_detail(
    platform: SmartCouponAccount, merchant: Merchant, changes: dict[str, Any], revision: int
) -> None:
    coupon_id = (CouponTemplate.objects.first() or published(merchant=merchant)).coupon_id
    send(address_of(platform, "coupon-detail"), body_of({**grant(coupon_id, revision), **changes}))


@tries(200)
@given(
    changes=st.dictionaries(
        st.sampled_from([*campaign(3), "data_signature", "unknown"]), values, min_size=1, max_size=3
    ),
    revision=st.sampled_from([2, 3]),
)
def test_no_forgery_of_a_signed_push_is_taken(
    platform: SmartCouponAccount, changes: dict[str, Any], revision: int
) -> None:
    platform.developer_key = platform.developer_key or KEY
    platform.save()
    right = signed(campaign(revision), revision, key="another key")
    before = made()
    assert post(address_of(platform), body_of({**right, **changes})).status_code in (400, 401)
    assert made() == before


@tries(250)
@given(
    field=st.sampled_from(["coupon_amount", "min_buy_price", "coupon_type", "expiration_interval", "merchant_id"]),
    literal=literals,
    kind=st.sampled_from([1, 2]),
)
def test_any_number_in_any_digits(platform: SmartCouponAccount, field: str, literal: str, kind: int) -> None:
    push = {**create_push(expiration_type=kind), field: "@"}
    send(address_of(platform), json.dumps(push).replace('"@"', literal).encode())


def hear(body: bytes, tills: DfireAccount) -> None:
    """Tell it; nothing that the account has not signed is kept."""
    kept = DfireCallback.objects.count()
    response = tell(body)
    assert response.status_code in (400, 401), body
    assert response.json()["success"] is False
    assert DfireCallback.objects.count() == kept


@tries(250)
@given(body=st.binary(max_size=200) | st.text(alphabet="&=%+;aA0sign", max_size=60).map(str.encode))
def test_any_bytes_as_a_callback(tills: DfireAccount, body: bytes) -> None:
    hear(body, tills)


FORM_FIELDS = [
    "appKey",
    "timestamp",
    "v",
    "method",
    "entityId",
    "promotionId",
    "openid",
    "thirdDeliverCode",
    "sign",
    "",
]
form_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@tries(250)
@given(changes=st.dictionaries(st.sampled_from(FORM_FIELDS) | form_texts, form_texts, min_size=1, max_size=3))
def test_any_forgery_is_refused(tills: DfireAccount, changes: dict[str, str]) -> None:
    form = callback(tills, "9170616980313735")
    forged = {**form, **changes}
    if forged != form:
        assert "" in forged or not verify(forged, tills.app_secret)
        hear(urlencode(forged).encode(), tills)


@tries(250)
@given(
    changes=st.dictionaries(
        st.sampled_from(["v", "method", "entityId", "promotionId", "openid", "thirdDeliverCode", "timestamp", "空"]),
        form_texts | st.integers().map(str) | st.sampled_from(["x" * 65, "x" * 300]),
        min_size=1,
        max_size=4,
    )
)
def test_anything_that_is_signed_is_kept_or_refused_for_a_named_field(
    tills: DfireAccount, changes: dict[str, str]
) -> None:
    kept = DfireCallback.objects.count()
    form = callback(
        tills,
        changes.get("thirdDeliverCode", "1"),
        **{**changes, "thirdDeliverCode": changes.get("thirdDeliverCode", "1")},
    )
    response = tell("&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in form.items()).encode())
    assert response.status_code in (200, 400), form
    if response.status_code == 400:
        assert response.json()["resultCode"] in ("002", "013")
        assert ": " in response.json()["message"]
        assert DfireCallback.objects.count() == kept
