"""Limits: of calls, of codes that are not there, of wrong keys; what is said of them, and that Redis may be down."""

import ipaddress
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from coupons.models import IssuedCoupon
from integrations import rates
from integrations.models import ApiCall, ApiKey
from integrations.partner_api import keys
from merchants.models import Merchant
from tests.api.caller import Caller, caller_of, refused
from tests.factories import issued
from tests.hooks.test_callers import DEAD_REDIS

pytestmark = pytest.mark.django_db
NOWHERE = "coupons/9999888877776666/"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """All calls fall into one second, which is ten seconds old in its minute; a test may set it on."""
    stopped = SimpleNamespace(now=1_800_000_010.0, monotonic=time.monotonic)
    stopped.time = lambda: stopped.now
    monkeypatch.setattr(rates, "time", stopped)
    monkeypatch.setattr(rates, "_quiet_until", 0.0)
    return stopped


@pytest.fixture
def coupon(template: Any) -> IssuedCoupon:
    """A coupon of merchant 88."""
    return issued(template)


@override_settings(API_RATE_LIMIT=3)
def test_every_answer_says_how_many_calls_are_left(api: Caller, clock: Any) -> None:
    said = []
    for path in ("coupons/", NOWHERE, "nowhere/", "coupons/"):
        answer = api.get(path)
        said.append([answer.status_code, *(answer[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset"))])
    assert said == [[200, "3", "2", "1"], [404, "3", "1", "1"], [404, "3", "0", "1"], [429, "3", "0", "1"]]
    assert refused(answer) == (429, "throttled", None)
    assert answer["Retry-After"] == "1"
    clock.now += 1
    assert api.get("coupons/").status_code == 200


@override_settings(API_RATE_LIMIT=2)
def test_each_key_has_its_own_limit_also_of_what_it_may_not_do(merchant: Merchant) -> None:
    one, other = caller_of("one", merchant, scopes=["coupons:issue"]), caller_of("other", merchant)
    assert [one.get("coupons/").status_code for _ in range(3)] == [403, 403, 429]
    assert other.get("coupons/").status_code == 200
    _row, second = keys.make(one.app)
    assert Caller(one.app, second).get("coupons/").status_code == 403


@override_settings(API_RATE_LIMIT=1)
def test_what_is_turned_away_does_nothing_and_may_be_repeated(api: Caller, coupon: IssuedCoupon, clock: Any) -> None:
    api.get("coupons/")
    call = {"path": f"coupons/{coupon.code}/revoke/", "body": {"reason": "r"}, "idempotency_key": "k"}
    assert refused(api.post(**call))[:2] == (429, "throttled")
    coupon.refresh_from_db()
    assert coupon.status == "issued"
    clock.now += 1
    assert api.post(**call).status_code == 200


@override_settings(API_RATE_LIMIT=0, API_UNKNOWN_CODES_A_MINUTE=0, API_WRONG_KEYS_A_MINUTE=0)
def test_no_limit_is_no_limit(api: Caller) -> None:
    answers = [api.get(NOWHERE) for _ in range(120)]
    assert {answer.status_code for answer in answers} == {404}
    assert "X-RateLimit-Limit" not in answers[0]


def test_the_default_is_a_hundred_a_second() -> None:
    assert django_settings.API_RATE_LIMIT == 100


@override_settings(API_UNKNOWN_CODES_A_MINUTE=3)
def test_whoever_guesses_codes_is_stopped_for_the_minute(api: Caller, coupon: IssuedCoupon, clock: Any) -> None:
    known = f"coupons/{coupon.code}/"
    assert [api.get(known).status_code for _ in range(5)] == [200] * 5, "known ones cost nothing"
    guesses = [api.get(f"coupons/{code}/").status_code for code in range(10**15, 10**15 + 3)]
    assert guesses == [404, 404, 404]
    for path, body in ((known, None), (f"{known}check/", {}), (f"{known}revoke/", {"reason": "r"})):
        answer = api.send("POST" if body is not None else "GET", path, body)
        assert refused(answer) == (429, "throttled", None), path
        assert answer["Retry-After"] == "50"
        assert answer["X-RateLimit-Limit"] == "100"
    assert api.get("coupons/").status_code == 200, "what names no code goes on"
    clock.now += 50
    assert api.get(known).status_code == 200


@override_settings(API_UNKNOWN_CODES_A_MINUTE=2)
def test_others_codes_count_as_guesses_and_other_keys_go_on(
    api: Caller, coupon: IssuedCoupon, stranger: Merchant
) -> None:
    theirs = caller_of("stranger", stranger)
    assert [theirs.get(f"coupons/{coupon.code}/").status_code for _ in range(3)] == [404, 404, 429]
    assert api.get(f"coupons/{coupon.code}/").status_code == 200


@override_settings(API_WRONG_KEYS_A_MINUTE=3)
def test_an_address_that_tries_many_keys_is_stopped_for_the_minute(api: Caller, clock: Any) -> None:
    tried = [refused(api.get("coupons/", authorization=f"Api-Key guess-{n}"))[:2] for n in range(4)]
    assert tried == [(401, "authentication_failed")] * 3 + [(429, "throttled")]
    answer = api.get("coupons/")
    assert refused(answer) == (429, "throttled", None), "also the right one: nobody learns which it is"
    assert answer["Retry-After"] == "50"
    clock.now += 50
    assert api.get("coupons/").status_code == 200


@override_settings(API_WRONG_KEYS_A_MINUTE=3)
def test_one_old_key_repeated_locks_nobody_out(api: Caller) -> None:
    assert {api.get("coupons/", authorization="Api-Key old").status_code for _ in range(10)} == {401}
    assert api.get("coupons/").status_code == 200


@override_settings(API_WRONG_KEYS_A_MINUTE=2)
def test_a_forwarded_address_that_nobody_vouches_for_does_not_hide_a_guesser(api: Caller) -> None:
    for n in range(2):
        api.get("coupons/", authorization=f"Api-Key guess-{n}", x_forwarded_for=f"203.0.113.{n}")
    assert api.get("coupons/", x_forwarded_for="203.0.113.77").status_code == 429


@override_settings(API_WRONG_KEYS_A_MINUTE=2, TRUSTED_PROXIES=[ipaddress.ip_network("127.0.0.1")])
def test_behind_a_proxy_each_address_counts_by_itself_and_ipv6_by_its_network(api: Caller) -> None:
    for n in range(2):
        api.get("coupons/", authorization=f"Api-Key guess-{n}", x_forwarded_for=f"2001:db8::{n + 1}")
    assert api.get("coupons/", x_forwarded_for="2001:db8::ffff").status_code == 429
    assert api.get("coupons/", x_forwarded_for="2001:db8:0:1::1").status_code == 200
    assert api.get("coupons/", x_forwarded_for="203.0.113.1").status_code == 200


@override_settings(CACHES=DEAD_REDIS, API_RATE_LIMIT=1, API_UNKNOWN_CODES_A_MINUTE=1, API_WRONG_KEYS_A_MINUTE=1)
def test_with_redis_down_everyone_is_let_through_without_waiting(api: Caller) -> None:
    began = time.perf_counter()
    assert [api.get(NOWHERE).status_code for _ in range(5)] == [404] * 5
    assert {api.get("coupons/", authorization=f"Api-Key {n}").status_code for n in range(5)} == {401}
    assert api.get("coupons/").status_code == 200
    assert time.perf_counter() - began < 5


@override_settings(API_RATE_LIMIT=1)
def test_of_a_flood_one_call_a_second_is_written_down(api: Caller) -> None:
    for _ in range(5):
        api.get("coupons/")
    assert list(ApiCall.objects.order_by("pk").values_list("status", "code")) == [(200, ""), (429, "throttled")]


def test_a_key_that_has_ended_is_no_guess(api: Caller) -> None:
    ApiKey.objects.update(expires_at="2020-01-01T00:00:00Z")
    with override_settings(API_WRONG_KEYS_A_MINUTE=1):
        assert {refused(api.get("coupons/"))[1] for _ in range(3)} == {"key_expired"}


@override_settings(API_RATE_LIMIT=3)
@pytest.mark.parametrize(
    ("refusing", "code"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "key_expired"),
        ({"allowed_addresses": ["203.0.113.1"]}, "address_not_allowed"),
    ],
)
def test_keys_that_open_nothing_have_the_limit_too_and_leave_one_line_a_second(
    api: Caller, refusing: dict[str, Any], code: str
) -> None:
    ApiKey.objects.update(**refusing)
    answers = [api.get("coupons/") for _ in range(5)]
    assert [refused(answer)[1] for answer in answers] == [code] * 3 + ["throttled"] * 2
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert list(ApiCall.objects.values_list("code", flat=True)) == [code]
