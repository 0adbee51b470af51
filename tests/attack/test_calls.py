"""Whatever an app calls: answered as the description says, and done wholly or not at all."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from integrations.models import ApiAnswer
from tests.api.described import undescribed
from tests.attack.bodies import bodies
from tests.attack.budget import sent, tries
from tests.attack.state import State, changed, is_one_of, look
from tests.attack.values import MOMENTS, texts, words
from tests.attack.world import World, disagreeing

pytestmark = pytest.mark.django_db
ISSUED = {
    "coupons_issuedcoupon": 1, "coupons_couponevent": (1, 2), "integrations_outboxrow": 1,
    "coupons_coupontemplate": 0,
    "integrations_webhookdelivery": 1, "coupons_dayfigures": (0, 1), "merchants_customer": (0, 1),
}  # fmt: skip
DONE: dict[str, tuple[int, dict[str, Any]]] = {
    "issue": (201, ISSUED),
    "check": (200, {}),
    "redeem": (202, {
        "coupons_issuedcoupon": 0, "coupons_couponevent": 1, "integrations_outboxrow": 1,
        "integrations_partnerorder": 1,
    }),
    "revoke": (200, {
        "coupons_issuedcoupon": 0, "coupons_couponevent": 1, "integrations_outboxrow": (0, 1),
        "coupons_coupontemplate": 0,
        "integrations_webhookdelivery": 1, "coupons_dayfigures": 1,
    }),
    "transfer": (202, {
        "coupons_issuedcoupon": 0, "coupons_couponevent": (1, 2), "integrations_outboxrow": (0, 1, 2),
        "integrations_webhookdelivery": 1, "merchants_customer": (0, 1), "coupons_dayfigures": (0, 1),
    }),
    "customer": (200, {"merchants_customer": (0, 1), "coupons_issuedcoupon": (0,), "integrations_outboxrow": (0,)}),
}  # fmt: skip
AGAIN = ("revoke", "transfer")  # done before, or to its own holder: nothing happens, and the answer is the same
NAMES = st.sampled_from(["m-1", "m-2", "13800138000", "m-new", "o-1", "o-2", "会员", "m-1 "])
MOBILES = st.sampled_from(["13800138000", "13800138002", "13900139000", "23800138000", "138001380000"])
ENDS = st.sampled_from([*MOMENTS, "2026-12-20T23:59:59+08:00", "2027-01-01T00:00:00Z"])
FEN = st.sampled_from([0, 1, 100, 5000, 6000, 10**12, 10**12 + 1, -1])
SHOPS = st.sampled_from(["00026863", "99927548", "0", None])
FIELDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "issue": (
        {"identifier": NAMES, "merchant_id": st.sampled_from(["88", "88", "88", "99"]), "expiration_time": ENDS,
         "coupon_id": st.sampled_from(["@free", "@free", "@last", "@gone", "@ended", "@theirs"])},
        {"merchant_id": "88", "coupon_id": "@free", "identifier": "m-1"},
    ),
    "check": ({"at": ENDS, "amount_fen": FEN, "channel": st.sampled_from(["dine_in", "take_away"]),
    "shop_entity_id": SHOPS}, {}),
    "redeem": (
        {"order_id": st.sampled_from(["o-1", "订单１", "x" * 64]), "order_date": st.sampled_from(["2026-11-28",
        "2026-11-29", None]),
         "paid_fen": FEN, "saved_fen": FEN, "shop_entity_id": SHOPS},
        {"order_id": "o-1", "paid_fen": 5600, "saved_fen": 1000},
    ),
    "revoke": ({"reason": texts}, {"reason": "r"}),
    "transfer": ({"to_identifier": NAMES}, {"to_identifier": "m-2"}),
    "customer": ({"mobile": MOBILES, "openid": NAMES}, {"merchant_id": "88"}),
}  # fmt: skip
BODIES = {call: bodies(*FIELDS[call]) for call in FIELDS}
CALLS = pytest.mark.parametrize("call", FIELDS)
KEYS = st.none() | st.sampled_from(["k", "order-1", "x" * 255, "x" * 256, "", "ключ", " k", "a b"]) | words


def sendable(header: str | None) -> str | None:
    """The header's value as a server hands it on: one byte a character, nothing that ends a line; else none."""
    if header is None or any(char in header for char in "\r\n\x00"):
        return None
    try:
        return header.encode("utf-8").decode("latin-1")
    except UnicodeEncodeError:
        return None


def aimed(body: bytes, world: World) -> bytes:
    """With the ids of what there is, where the body names it by its name."""
    for name in ("free", "last", "gone", "ended", "theirs"):
        body = body.replace(b'"@' + name.encode(), b'"' + getattr(world, name).coupon_id.encode())
    return body


def place_of(call: str, code: str, identifier: str) -> tuple[str, str]:
    """Method and path of a call."""
    if call == "customer":
        return "PUT", f"customers/{quote(identifier, safe='', errors='replace')}/"
    return "POST", "coupons/" if call == "issue" else f"coupons/{code}/{call}/"


def judge(world: World, before: State, call: str, method: str, path: str, send: Any) -> int:
    """Make the call, judge what came of it, undo it."""
    with transaction.atomic():
        sent("calls")
        answer = send()
        found, status = changed(before, look()), answer.status_code
        assert status < 500, answer.content
        assert undescribed(method, path, status, answer.json()) == [], (status, path)
        assert disagreeing() == []
        if status < 300:
            done, expected = DONE[call]
            assert status == done
            assert is_one_of(found, expected) or (call in AGAIN and found == {}), found
        else:
            assert found == {}, (status, found)
        transaction.set_rollback(True)
    return int(status)


@CALLS
@tries("calls", 850, len(FIELDS))
@given(data=st.data(), at=st.integers(0, 4), identifier=NAMES | texts, key=KEYS)
def test_any_call(
    world: World, before: State, call: str, data: st.DataObject, at: int, identifier: str, key: str | None
) -> None:
    body = aimed(data.draw(BODIES[call]), world)
    method, path = place_of(call, world.codes[data.draw(st.sampled_from([at, 1]))], identifier)
    if path == "customers//":
        return
    headers = {"idempotency_key": told} if (told := sendable(key)) is not None else {}
    judge(world, before, call, method, path, lambda: world.api.send(method, path, body, **headers))


@CALLS
@tries("repeated calls", 120, len(FIELDS) - 1)
@given(data=st.data(), at=st.integers(0, 4))
def test_any_call_repeated_with_its_key_is_done_once(
    world: World, before: State, call: str, data: st.DataObject, at: int
) -> None:
    if call == "customer":
        pytest.skip("a PUT is idempotent by itself")
    body = aimed(data.draw(BODIES[call]), world)
    method, path = place_of(call, world.codes[data.draw(st.sampled_from([at, 1]))], "m-1")
    with transaction.atomic():
        sent("repeated calls")
        first = world.api.send(method, path, body, idempotency_key="k")
        found = changed(before, look())
        again = world.api.send(method, path, body, idempotency_key="k")
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert changed(before, look()) == found
        kept = ApiAnswer.objects.count()
        other = world.api.send(method, path, {"x": "another body"}, idempotency_key="k")
        assert kept == 0 or (kept == 1 and other.status_code == 422)
        assert changed(before, look()) == found
        transaction.set_rollback(True)


QUERIES = {
    "coupons/": ["merchant_id", "identifier", "status", "cursor", "limit"],
    "coupon-templates/": ["merchant_id", "status", "cursor", "limit"],
}
ASKED = (
    st.sampled_from(["88", "99", "m-1", "issued", "published", "n12", "p1", "n" + "9" * 18, "1", "200", "201", "0"])
    | words
)


@pytest.mark.parametrize("path", QUERIES)
@tries("queries", 750, len(QUERIES))
@given(data=st.data())
def test_any_query(world: World, before: State, path: str, data: st.DataObject) -> None:
    names = st.sampled_from([*QUERIES[path], "unknown", "merchant_id[]", ""]) | st.text(max_size=5)
    pairs = data.draw(st.lists(st.tuples(names, ASKED), max_size=4))
    asked = urlencode([tuple(part.encode("utf-8", "replace") for part in pair) for pair in pairs])
    raw = data.draw(st.sampled_from([asked, asked, asked, asked + "&&=", asked.replace("%", "%%"), asked + "%ff"]))
    with transaction.atomic():
        sent("queries")
        answer = world.api.get(f"{path}?{raw}")
        assert answer.status_code < 500, answer.content
        assert undescribed("GET", path, answer.status_code, answer.json()) == []
        assert world.their_coupon.code not in answer.content.decode()
        assert world.theirs.coupon_id not in answer.content.decode()
        assert changed(before, look()) == {}
        transaction.set_rollback(True)


@tries("addresses", 700)
@given(data=st.data())
def test_any_address(world: World, before: State, data: st.DataObject) -> None:
    part = (
        st.sampled_from([*world.codes, *world.templates, "coupons", "customers", "check", "..", ".", "%2e", ""]) | words
    )
    parts = data.draw(st.lists(part, min_size=1, max_size=4))
    path = (
        "/api/v1/"
        + "/".join(quote(one, safe="%", errors="replace") for one in parts)
        + data.draw(st.sampled_from(["", "/"]))
    )
    method = data.draw(
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY", "get"])
    )
    with transaction.atomic():
        sent("addresses")
        answer = world.api.send(method, path, b"{}" if method in ("POST", "PUT") else None)
        assert answer.status_code in {200, 400, 404, 405}, (method, path, answer.status_code)
        found = changed(before, look())
        assert found == {} or (
            method == "PUT" and set(found) == {"merchants_customer"} and answer.status_code == 200
        ), path
        assert b"Traceback" not in answer.content
        transaction.set_rollback(True)
