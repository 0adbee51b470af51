"""Whoever is not known learns nothing from an answer, its headers or what was done for it, and is slowed by address."""

import time
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations import rates
from integrations.dfire.signing import sign
from integrations.smart_coupon import tokens
from merchants.models import DfireAccount, SmartCouponAccount
from tests.factories import SmartCouponAccountFactory
from tests.hooks.helpers import address_of, callback, create_push, post, tell

pytestmark = pytest.mark.django_db
TELLING = {"X-Request-ID"}  # differs with every call


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """All calls fall into one second."""
    monkeypatch.setattr(rates, "time", SimpleNamespace(time=lambda: 1_800_000_000.0, monotonic=time.monotonic))


def seen(monkeypatch: pytest.MonkeyPatch, send: Callable[[], Any]) -> tuple[Any, ...]:
    """What a caller could tell apart: the answer, its headers, the queries' texts, how often something is opened."""
    opened: list[int] = []
    decrypt = Fernet._decrypt_data

    def counted(self: Fernet, *args: Any) -> bytes:
        opened.append(1)
        return decrypt(self, *args)

    with monkeypatch.context() as patched, CaptureQueriesContext(connection) as queries:
        patched.setattr(Fernet, "_decrypt_data", counted)
        answer = send()
    headers = {name: value for name, value in answer.headers.items() if name not in TELLING}
    shapes = [query["sql"].split(" WHERE ")[0] for query in queries.captured_queries]
    return answer.status_code, answer.content, headers, shapes, len(opened)


@pytest.mark.parametrize("kind", ["coupon", "coupon-detail"])
def test_every_token_that_opens_nothing_is_answered_alike(
    platform: SmartCouponAccount, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ended = SmartCouponAccountFactory(token="tok-ended-0123456789")
    tokens.rotate(ended, keep=timedelta(days=1))
    SmartCouponAccount.objects.filter(pk=ended.pk).update(previous_until=timezone.now())
    gone = SmartCouponAccountFactory(token="tok-gone-0123456789")
    gone.delete()
    of_the_account = platform.token
    answers = [
        seen(monkeypatch, lambda token=token: post(f"/hooks/smart-coupon/{token}/{kind}/", create_push()))
        for token in (
            *("unknown-0123456789abc", "tok-ended-0123456789", "tok-gone-0123456789"),
            *(of_the_account[:-1] + "x", of_the_account.upper(), of_the_account + "0", platform.token_hash),
        )
    ]
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


def test_an_unknown_app_key_is_answered_like_a_wrong_signature(
    tills: DfireAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = callback(tills, "1")
    unknown = {**right, "appKey": "0" * len(right["appKey"])}
    forms = [
        {**right, "sign": "0" * 40},
        {**unknown, "sign": "0" * 40},
        {**unknown, "sign": sign(unknown, tills.app_secret)},
        {**right, "sign": right["sign"].lower()},
        {**right, "sign": right["sign"][:-1] + ("0" if right["sign"][-1] != "0" else "1")},
    ]
    tell(forms[1])  # the decoy is made once for each process
    answers = [seen(monkeypatch, lambda form=form: tell(form)) for form in forms]
    assert answers[0][0] == 401
    assert answers[0][-1] == 1, "one secret is opened, whoever is said to call"
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.usefixtures("stopped_clock")
@override_settings(HOOK_RATE_LIMIT=2)
def test_an_address_that_tries_tokens_is_turned_away_before_the_database_is_asked(
    platform: SmartCouponAccount, django_assert_num_queries: Any
) -> None:
    tried = [post(f"/hooks/smart-coupon/guess-{n}/coupon/", create_push()).status_code for n in range(11)]
    assert tried == [404] * 10 + [429]
    with django_assert_num_queries(0):
        for body in (create_push(), b"x" * 100_000, b""):
            answer = post(address_of(platform), body)
            assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert post(address_of(platform), create_push(), REMOTE_ADDR="203.0.113.9").status_code == 200


@pytest.mark.usefixtures("stopped_clock")
@override_settings(HOOK_RATE_LIMIT=2)
def test_forgers_of_callbacks_are_slowed_by_address_too(tills: DfireAccount, django_assert_num_queries: Any) -> None:
    forged = {**callback(tills, "1"), "sign": "0" * 40}
    assert [tell(forged).status_code for _ in range(10)] == [401] * 10
    with django_assert_num_queries(0):
        answer = tell(callback(tills, "1"))
    assert (answer.status_code, answer.json()["resultCode"]) == (429, "009")
    assert tell(callback(tills, "1"), REMOTE_ADDR="203.0.113.9").status_code == 200


@pytest.mark.usefixtures("stopped_clock")
@override_settings(HOOK_RATE_LIMIT=1)
def test_accounts_that_call_from_one_address_do_not_use_up_each_others_calls() -> None:
    accounts = [SmartCouponAccountFactory() for _ in range(8)]
    assert [post(address_of(account), b"{").status_code for account in accounts] == [400] * 8


@pytest.mark.usefixtures("stopped_clock")
@override_settings(HOOK_RATE_LIMIT=1, TRUSTED_PROXIES=[ip_network("10.0.0.1")])
def test_behind_a_proxy_the_address_is_the_caller_s_and_of_ipv6_the_network(platform: SmartCouponAccount) -> None:
    def from_(address: str) -> int:
        wrong = "/hooks/smart-coupon/unknown/coupon/"
        return post(wrong, {}, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=address).status_code

    assert [from_("198.51.100.7") for _ in range(6)] == [404] * 5 + [429]
    assert from_("198.51.100.8") == 404
    assert [from_(f"2001:db8::{n}") for n in range(1, 7)] == [404] * 5 + [429]
    assert from_("2001:db8:0:1::1") == 404
    forged = post(
        "/hooks/smart-coupon/unknown/coupon/", {}, REMOTE_ADDR="192.0.2.9", HTTP_X_FORWARDED_FOR="198.51.100.7"
    )
    assert forged.status_code == 404, "nobody uses up another address's calls by naming it"
