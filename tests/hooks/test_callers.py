"""Who may push: tokens, merchants, addresses behind trusted proxies, and how often."""

import time
from datetime import timedelta
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from integrations import rates
from integrations.models import Push
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.factories import MerchantFactory, SmartCouponAccountFactory, published
from tests.hooks.helpers import (
    address_of,
    callback,
    callback_refused,
    create_push,
    give_push,
    made,
    post,
    refused,
    tell,
)

pytestmark = pytest.mark.django_db
DEAD_REDIS = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}


@pytest.mark.parametrize(
    "token",
    ["x", "tok-0123456789abcde", "TOK-0123456789ABCDEF", "%00", "%ff", "x" * 3000, "券", "tok-0123456789abcdef%20"],
)
@pytest.mark.parametrize("kind", ["coupon", "coupon-detail"])
def test_an_unknown_token_is_not_found(platform: SmartCouponAccount, token: str, kind: str) -> None:
    before = made()
    assert refused(post(f"/hooks/smart-coupon/{token}/{kind}/", create_push()))[:2] == (404, "unknown_token")
    assert made() == before
    assert not Push.objects.exists()


def test_a_token_that_was_changed_opens_nothing_any_more(platform: SmartCouponAccount) -> None:
    old = address_of(platform)
    platform.token = "another-token"
    platform.save()
    assert refused(post(old, create_push()))[:2] == (404, "unknown_token")
    assert post(address_of(platform), create_push()).status_code == 200


def test_who_is_turned_away_is_shown_to_staff_once_a_minute_without_what_it_sent(platform: SmartCouponAccount) -> None:
    SmartCouponAccount.objects.update(allowed_addresses=["192.0.2.0/24"])
    before = made()
    for _ in range(3):
        status, code, message = refused(post(address_of(platform), create_push(), REMOTE_ADDR="203.0.113.9"))
        assert (status, code) == (403, "address_not_allowed")
        assert message == "203.0.113.9 is not among the addresses that may push here."
    kept = Push.objects.get()
    assert (kept.status, kept.body, kept.answer["error"]["message"]) == (403, "", message)
    Push.objects.update(received_at=timezone.now() - timedelta(seconds=61))
    post(address_of(platform), create_push(), REMOTE_ADDR="203.0.113.9")
    assert Push.objects.count() == 2
    assert made() == before


def test_another_accounts_merchant_looks_like_none(platform: SmartCouponAccount) -> None:
    other = SmartCouponAccountFactory()
    other.merchants.add(MerchantFactory(merchant_id="99"))
    before = made()
    answers = []
    for merchant_id in ("99", "unknown"):
        answers.append(refused(post(address_of(platform), create_push(merchant_id=merchant_id))))
        push = give_push("1", merchant_id=merchant_id)
        answers.append(refused(post(address_of(platform, "coupon-detail"), push)))
    assert set(answers) == {(404, "unknown_merchant", "merchant_id: no such merchant.")}
    assert made() == before


def test_another_accounts_token_gives_no_coupon_of_ours(platform: SmartCouponAccount, merchant: Merchant) -> None:
    stranger = SmartCouponAccountFactory()
    push = give_push(published(merchant=merchant).coupon_id)
    assert refused(post(address_of(stranger, "coupon-detail"), push))[:2] == (404, "unknown_merchant")


@pytest.mark.parametrize(
    ("allowed", "caller", "may"),
    [
        ([], "203.0.113.9", True),
        (["203.0.113.9"], "203.0.113.9", True),
        (["203.0.113.9"], "203.0.113.10", False),
        (["203.0.113.0/24"], "203.0.113.250", True),
        (["203.0.113.7/24"], "203.0.113.250", True),
        (["10.0.0.0/8", "203.0.113.9"], "203.0.113.9", True),
        (["203.0.113.9"], "::ffff:203.0.113.9", True),
        (["203.0.113.9"], "::ffff:cb00:7109", True),
        (["::ffff:203.0.113.9"], "::ffff:203.0.113.9", True),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::1"], "2001:DB8:0:0:0:0:0:1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["2001:db8::/32"], "203.0.113.9", False),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["203.0.113.9"], "", False),
        (["203.0.113.9"], "unix:", False),
    ],
)
def test_only_allowed_addresses_may_push(
    platform: SmartCouponAccount, allowed: list[str], caller: str, may: bool
) -> None:
    SmartCouponAccount.objects.update(allowed_addresses=allowed)
    response = post(address_of(platform), create_push(), REMOTE_ADDR=caller)
    if may:
        assert response.status_code == 200
    else:
        assert refused(response)[:2] == (403, "address_not_allowed")
        assert list(Push.objects.values_list("status", flat=True)) == [403]


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "may"),
    [
        ([], "203.0.113.9", "10.9.9.9", True),
        ([], "10.9.9.9", "203.0.113.9", False),  # forged: nobody trusted wrote it
        (["10.0.0.1"], "10.0.0.1", "203.0.113.9", True),
        (["10.0.0.1"], "10.0.0.1", "10.9.9.9", False),
        (["10.0.0.1"], "10.0.0.1", "203.0.113.9, 10.9.9.9", False),  # forged before the proxy wrote the last
        (["10.0.0.1"], "10.0.0.1", "10.9.9.9, 203.0.113.9", True),
        (["10.0.0.1"], "10.0.0.2", "203.0.113.9", False),
        (["10.0.0.0/24"], "10.0.0.1", "203.0.113.9, 10.0.0.2", True),
        (["10.0.0.0/24"], "10.0.0.1", "203.0.113.9, 10.0.0.2, 10.0.0.3", True),
        (["10.0.0.0/24"], "10.0.0.1", "203.0.113.9,,10.0.0.2", False),
        (["10.0.0.0/24"], "10.0.0.1", "", False),
        (["10.0.0.0/24"], "10.0.0.1", "nonsense", False),
        (["10.0.0.0/24"], "10.0.0.1", "203.0.113.9, nonsense", False),
        (["10.0.0.0/24"], "::ffff:10.0.0.1", "::ffff:203.0.113.9", True),
        (["fd00::/8"], "fd00::1", "203.0.113.9", True),
        (["0.0.0.0/0"], "10.0.0.1", "203.0.113.9", True),
    ],
)
def test_x_forwarded_for_counts_as_far_as_trusted_proxies_wrote_it(
    platform: SmartCouponAccount, proxies: list[str], peer: str, forwarded: str, may: bool
) -> None:
    SmartCouponAccount.objects.update(allowed_addresses=["203.0.113.9"])
    with override_settings(TRUSTED_PROXIES=[ip_network(proxy) for proxy in proxies]):
        response = post(address_of(platform), create_push(), REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert response.status_code == (200 if may else 403)


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """All calls fall into one second."""
    stopped = SimpleNamespace(time=lambda: 1_800_000_000.0, monotonic=time.monotonic)
    monkeypatch.setattr(rates, "time", stopped)


@pytest.mark.usefixtures("stopped_clock")
@override_settings(HOOK_RATE_LIMIT=3)
def test_more_pushes_in_a_second_than_the_limit_are_429(platform: SmartCouponAccount) -> None:
    other = SmartCouponAccountFactory()
    statuses = [post(address_of(platform, kind), {}).status_code for kind in ("coupon", "coupon-detail") * 2]
    assert statuses == [400, 400, 400, 429]
    response = post(address_of(platform), create_push())
    assert refused(response)[:2] == (429, "too_many_requests")
    assert response["Retry-After"] == "1"
    assert post(address_of(other), {}).status_code == 400  # each account by itself


@pytest.mark.usefixtures("stopped_clock")
@override_settings(HOOK_RATE_LIMIT=2)
def test_more_callbacks_in_a_second_than_the_limit_are_429(tills: DfireAccount) -> None:
    forged = {**callback(tills, "1"), "sign": "0" * 40}
    for _ in range(5):
        assert tell(forged).status_code == 401  # who does not sign uses up nothing
    assert [tell(callback(tills, str(n))).status_code for n in range(2)] == [200, 200]
    assert callback_refused(tell(callback(tills, "9")))[:2] == (429, "009")


@pytest.mark.usefixtures("stopped_clock")
@override_settings(HOOK_RATE_LIMIT=0)
def test_no_limit_is_no_limit(platform: SmartCouponAccount) -> None:
    assert {post(address_of(platform), {}).status_code for _ in range(120)} == {400}


@override_settings(CACHES=DEAD_REDIS, HOOK_RATE_LIMIT=1)
def test_with_redis_down_the_hooks_go_on(platform: SmartCouponAccount, tills: DfireAccount) -> None:
    push: dict[str, Any] = create_push()
    answers = [post(address_of(platform), push) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert [tell(callback(tills, "1")).status_code for _ in range(3)] == [200, 200, 200]
