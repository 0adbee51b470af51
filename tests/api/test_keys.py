"""Keys that end, that hold in some networks alone, that are exchanged, and that say when they were last used."""

import ipaddress
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from integrations.models import ApiKey
from integrations.partner_api import keys
from integrations.provisioning.entries import Rejected
from integrations.provisioning.run import provision
from merchants.models import Merchant
from tests.api.caller import Caller, caller_of, refused
from tests.hooks.test_callers import DEAD_REDIS

pytestmark = pytest.mark.django_db
PROXIES = override_settings(TRUSTED_PROXIES=[ipaddress.ip_network("127.0.0.0/8")])


def key_of(api: Caller) -> ApiKey:
    """The row of the caller's key."""
    return ApiKey.objects.get(app=api.app)


def test_a_key_that_has_ended_says_so_and_an_unknown_one_does_not(api: Caller) -> None:
    keys.end(key_of(api), timezone.now() + timedelta(hours=1))
    assert api.get("coupons/").status_code == 200
    ApiKey.objects.update(expires_at=timezone.now())
    answer = api.get("coupons/")
    assert refused(answer) == (401, "key_expired", None)
    assert answer["WWW-Authenticate"] == "Api-Key"
    assert refused(api.get("coupons/", authorization="Api-Key cp_other")) == (401, "authentication_failed", None)


def test_a_key_opens_nothing_from_other_addresses(api: Caller) -> None:
    ApiKey.objects.update(allowed_addresses=["203.0.113.0/24", "2001:db8::/48"])
    assert refused(api.get("coupons/")) == (403, "address_not_allowed", None)
    for address in ("203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9"):
        assert api.get("coupons/", remote_addr=address).status_code == 403, "a header is no address"
    ApiKey.objects.update(allowed_addresses=["127.0.0.1"])
    assert api.get("coupons/").status_code == 200


def test_forwarded_addresses_count_behind_trusted_proxies_alone(api: Caller) -> None:
    ApiKey.objects.update(allowed_addresses=["203.0.113.0/24"])
    spoofed = {"x_forwarded_for": "203.0.113.9"}
    assert refused(api.get("coupons/", **spoofed)) == (403, "address_not_allowed", None)
    with PROXIES:
        assert api.get("coupons/", **spoofed).status_code == 200
        for said in ("203.0.113.9, 198.51.100.1", "203.0.113.9, nonsense", "198.51.100.1"):
            assert refused(api.get("coupons/", x_forwarded_for=said))[1] == "address_not_allowed", said


def test_two_keys_live_at_once_and_no_third(api: Caller) -> None:
    first = key_of(api)
    second, text = keys.make(api.app, label="new till")
    assert Caller(api.app, text).get("coupons/").status_code == 200
    assert api.get("coupons/").status_code == 200
    with pytest.raises(keys.TooManyKeys) as refusal:
        keys.make(api.app)
    assert {key.pk for key in refusal.value.live} == {first.pk, second.pk}
    keys.end(first, timezone.now())
    keys.make(api.app)
    assert keys.live_keys(api.app).count() == 2


def first_to_end(api: Caller) -> int:
    """Which key one is told to end before another is made."""
    with pytest.raises(keys.TooManyKeys) as refusal:
        keys.make(api.app)
    return refusal.value.live[0].pk


def test_the_key_that_was_used_longest_ago_is_the_one_to_end_first(api: Caller) -> None:
    first = key_of(api)
    second, text = keys.make(api.app)
    assert first_to_end(api) == first.pk, "a new one has only not been used yet"
    Caller(api.app, text).get("coupons/")
    assert first_to_end(api) == first.pk
    api.get("coupons/")
    assert first_to_end(api) == second.pk
    keys.end(first, timezone.now() + timedelta(hours=24))
    assert first_to_end(api) == first.pk, "its end is near anyway"


def test_an_end_is_never_put_off(api: Caller) -> None:
    key, now = key_of(api), timezone.now()
    assert keys.end(key, now + timedelta(hours=1))
    assert not keys.end(key, now + timedelta(hours=2))
    assert key.expires_at == now + timedelta(hours=1)
    assert keys.end(key, now)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_make_a_key_at_once_as_many_get_one_as_there_is_room(
    merchant: Merchant, at_once: Callable[..., list[Any]]
) -> None:
    app = caller_of("rotating", merchant).app

    def one(_number: int) -> bool:
        try:
            keys.make(app)
        except keys.TooManyKeys:
            return False
        return True

    assert sorted(at_once(one, 8)) == [False] * 7 + [True]
    assert keys.live_keys(app).count() == keys.MOST_LIVE


def test_a_third_key_of_a_provisioning_file_is_refused_by_name(merchant: Merchant) -> None:
    entry = {"name": "p", "scopes": ["coupons:read"], "merchants": ["88"]}
    for key in ("the-first-key-of-it", "the-second-key-of-it"):
        provision({"partner_apps": [{**entry, "api_key": key}]})
    provision({"partner_apps": [{**entry, "api_key": "the-first-key-of-it"}]})
    with pytest.raises(Rejected, match="two keys of this app are live"):
        provision({"partner_apps": [{**entry, "api_key": "the-third-key-of-it"}]})
    assert ApiKey.objects.count() == 2


def test_when_a_key_was_last_used_is_noted_once_a_minute(api: Caller) -> None:
    assert key_of(api).last_used_at is None
    api.get("coupons/")
    first = key_of(api).last_used_at
    assert first is not None
    assert timezone.now() - first < timedelta(seconds=10)
    api.get("coupons/")
    assert key_of(api).last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(seconds=61))
    api.get("coupons/nothing/")
    assert key_of(api).last_used_at > first


@override_settings(CACHES=DEAD_REDIS)
def test_it_is_noted_with_redis_down(api: Caller) -> None:
    assert api.get("coupons/").status_code == 200
    assert key_of(api).last_used_at is not None


def test_a_key_that_is_turned_away_was_not_used(api: Caller) -> None:
    ApiKey.objects.update(allowed_addresses=["203.0.113.0/24"])
    api.get("coupons/")
    ApiKey.objects.update(allowed_addresses=[], expires_at=timezone.now())
    api.get("coupons/")
    assert key_of(api).last_used_at is None


@pytest.mark.django_db(transaction=True)
def test_calls_wait_for_nobody_who_holds_the_key(api: Caller, at_once: Callable[..., list[Any]]) -> None:
    with transaction.atomic():
        ApiKey.objects.select_for_update(no_key=True).get(app=api.app)
        answers = at_once(lambda _number: api.get("coupons/"), 4)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert key_of(api).last_used_at is None
    assert {answer.status_code for answer in at_once(lambda _number: api.get("coupons/"), 8)} == {200}
    assert key_of(api).last_used_at is not None
