"""The hooks on the portal's real web server, byte by byte."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from coupons.choices import CouponStatus
from coupons.models import CouponTemplate
from integrations.models import DfireCallback, Push
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.factories import issued, published
from tests.hooks.helpers import FORM, address_of, callback, create_push
from tests.hooks.wire import Reply, chunks, exchange, head

pytestmark = pytest.mark.django_db(transaction=True)

JSON_TYPE = "Content-Type: application/json"
LIMIT = 65_536
Send = Callable[..., Reply]


@pytest.fixture
def push() -> bytes:
    """A push that would be taken."""
    return json.dumps(create_push()).encode()


@pytest.fixture
def send(web: str, platform: SmartCouponAccount) -> Send:
    """Send a push with these headers and parts of a body."""

    def exchanged(headers: list[str], *parts: bytes | float, half_close: bool = False) -> Reply:
        return exchange(web, head(address_of(platform), *headers), *parts, half_close=half_close)

    return exchanged


def taken(reply: Reply) -> None:
    """The push made a template."""
    assert reply.status == 200, reply
    assert CouponTemplate.objects.get().coupon_id == reply.json()["result"]["coupon_id"]


def turned_away(reply: Reply, status: int, code: str) -> None:
    """The push was refused in the contract's form and made nothing."""
    assert (reply.status, reply.json()["error"]["code"]) == (status, code), reply
    assert not CouponTemplate.objects.exists()


def test_a_plain_push_is_taken(send: Send, push: bytes) -> None:
    taken(send([JSON_TYPE, f"Content-Length: {len(push)}"], push))


def test_without_a_content_type_a_push_is_taken(send: Send, push: bytes) -> None:
    taken(send([f"Content-Length: {len(push)}"], push))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_chunked_push_is_taken(send: Send, push: bytes, size: int) -> None:
    taken(send([JSON_TYPE, "Transfer-Encoding: chunked"], chunks(push, size)))


def test_a_client_that_asks_first_is_served(send: Send, push: bytes) -> None:
    headers = [JSON_TYPE, f"Content-Length: {len(push)}", "Expect: 100-continue"]
    reply = send(headers, 0.2, push)
    assert reply.status in (100, 200)
    assert CouponTemplate.objects.count() == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_65536_bytes_are_taken_and_65537_are_too_large(send: Send, push: bytes, chunked: bool) -> None:
    for size in (LIMIT + 1, LIMIT):
        body = push + b" " * (size - len(push))
        headers = [JSON_TYPE, "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"]
        reply = send(headers, chunks(body, 5000) if chunked else body)
        if size > LIMIT:
            turned_away(reply, 413, "too_large")
        else:
            taken(reply)


def test_a_huge_body_is_refused_by_its_announced_length_alone(send: Send) -> None:
    turned_away(send([JSON_TYPE, "Content-Length: 5000000000"], b"{"), 413, "too_large")


def test_a_slow_body_is_waited_for(send: Send, push: bytes) -> None:
    taken(send([JSON_TYPE, f"Content-Length: {len(push)}"], push[:20], 0.5, push[20:]))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_breaks_off_makes_nothing(send: Send, push: bytes, chunked: bool) -> None:
    if chunked:
        reply = send([JSON_TYPE, "Transfer-Encoding: chunked"], b"%x\r\n%s" % (len(push), push[:-1]), half_close=True)
    else:
        reply = send([JSON_TYPE, f"Content-Length: {len(push) + 10}"], push, half_close=True)
    assert reply.status in (0, 400), reply  # the server may drop who breaks off, unanswered
    assert not CouponTemplate.objects.exists()
    assert all(kept.status == 400 for kept in Push.objects.all())


def test_a_body_longer_than_announced_is_cut_and_refused(send: Send, push: bytes) -> None:
    turned_away(send([JSON_TYPE, f"Content-Length: {len(push) - 1}"], push), 400, "bad_request")


@pytest.mark.parametrize("headers", [[], ["Content-Length: 0"], ["Transfer-Encoding: chunked"]])
def test_no_body_is_bad_content(send: Send, headers: list[str]) -> None:
    rest = b"0\r\n\r\n" if "Transfer-Encoding: chunked" in headers else b""
    turned_away(send([JSON_TYPE, *headers], rest), 400, "bad_request")


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 400])
def test_a_length_that_is_none_is_never_a_server_error(send: Send, length: str) -> None:
    assert send([JSON_TYPE, f"Content-Length: {length}"], b"{}").status in (400, 413)


def test_a_callback_may_be_chunked_and_without_a_content_type(
    web: str, tills: DfireAccount, merchant: Merchant
) -> None:
    for content_type in ([f"Content-Type: {FORM}"], []):
        coupon = issued(published(merchant=merchant))
        body = urlencode(callback(tills, f"\n {coupon.code}")).encode()
        reply = exchange(web, head("/hooks/dfire/", *content_type, "Transfer-Encoding: chunked"), chunks(body, 50))
        assert (reply.status, reply.json()["resultCode"]) == (200, "000")
        coupon.refresh_from_db()
        assert coupon.status == CouponStatus.REDEEMED


def test_a_callback_that_breaks_off_is_not_taken(web: str, tills: DfireAccount) -> None:
    body = urlencode(callback(tills, "1")).encode()
    start = head("/hooks/dfire/", f"Content-Type: {FORM}", f"Content-Length: {len(body)}")
    assert exchange(web, start, body[:-5], half_close=True).status in (0, 400)
    assert not DfireCallback.objects.exists()
