"""Accounts and partner apps: secrets that are written and never read, tokens and keys that are made, a test call."""

import re
from typing import Any

from django.test import Client

from integrations.models import ApiKey
from integrations.partner_api.keys import found_by
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.admin.conftest import SECRETS, World
from tests.admin.pages import act, add_of, page_of, said

DFIRE = {
    "name": "main", "base_url": "https://dfire.example/router", "app_key": "k", "app_secret": "", "transfer_method": "",
    "max_requests_per_second": 50, "max_concurrency": 16, "timeout_seconds": 5,
    "state-TOTAL_FORMS": 0, "state-INITIAL_FORMS": 0,
}  # fmt: skip
SMART = {
    "name": "platform", "developer_key": "", "allowed_addresses": "", "repeat_window_seconds": 600,
    "consume_base_url": "", "app_id": "", "app_secret": "",
}  # fmt: skip


def test_an_empty_secret_keeps_the_stored_one(root: Client, world: World) -> None:
    root.post(page_of(world.account), DFIRE)
    account = DfireAccount.objects.get()
    assert (account.base_url, account.app_secret) == ("https://dfire.example/router", SECRETS["app"])


def test_a_typed_secret_replaces_the_stored_one(root: Client, world: World) -> None:
    root.post(page_of(world.account), {**DFIRE, "app_secret": "new"})
    assert DfireAccount.objects.get().app_secret == "new"


def test_a_new_account_needs_a_secret(root: Client, world: World) -> None:
    response = root.post(add_of(DfireAccount), {**DFIRE, "name": "second", "app_key": "k2"})
    assert "app_secret" in response.context["adminform"].form.errors


def test_an_address_without_https_is_warned_of(root: Client, world: World) -> None:
    response = root.post(page_of(world.account), {**DFIRE, "base_url": "http://10.0.0.1/router"})
    assert any("not https" in words for words in said(response))
    assert "not https" in root.get(page_of(world.account)).content.decode()
    response = root.post(page_of(world.account), DFIRE)
    assert not any("not https" in words for words in said(response))


def test_a_stopped_account_says_why_and_what_to_mend(root: Client, world: World) -> None:
    html = root.get(page_of(world.account)).content.decode()
    assert "25 无效签名" in html
    assert "enter the app secret again" in html


def test_the_connection_test_says_that_it_works(root: Client, world: World, account: DfireAccount) -> None:
    Merchant.objects.filter(pk=world.own.pk).update(dfire_account=account)
    assert act(root, account, "test")[0].startswith("It works: dfire lists 0 promotions")


def test_the_connection_test_says_what_dfire_refused(root: Client, world: World, account: DfireAccount) -> None:
    Merchant.objects.filter(pk=world.own.pk).update(dfire_account=account)
    DfireAccount.objects.filter(pk=account.pk).update(app_secret="wrong")
    words = act(root, account, "test")[0]
    assert "25" in words
    assert "enter the app secret again" in words


def test_the_connection_test_says_that_nobody_answers(root: Client, world: World) -> None:
    words = act(root, world.account, "test")[0]
    assert "did not accept the call" in words
    assert re.search(r"\(\d+ ms\)", words), "and how long it took"


def test_the_connection_test_needs_a_merchant(root: Client, world: World, account: DfireAccount) -> None:
    assert act(root, account, "test") == ["No merchant uses this account yet; the test needs one to ask about."]


def test_a_token_is_made_and_its_addresses_are_shown_in_full(root: Client, world: World) -> None:
    response = root.post(add_of(SmartCouponAccount), {**SMART, "name": "new", "merchants": [world.own.pk]})
    assert response.status_code == 302
    account = SmartCouponAccount.objects.get(name="new")
    assert len(account.token) >= 32
    html = root.get(page_of(account)).content.decode()
    assert f"http://testserver/hooks/smart-coupon/{account.token}/coupon/" in html
    assert f"http://testserver/hooks/smart-coupon/{account.token}/coupon-detail/" in html


def test_saving_keeps_token_and_secrets(root: Client, world: World) -> None:
    root.post(page_of(world.smart), {**SMART, "merchants": [world.own.pk], "allowed_addresses": "10.0.0.0/8\n1.2.3.4"})
    account = SmartCouponAccount.objects.get(pk=world.smart.pk)
    assert (account.token, account.developer_key) == (world.smart.token, SECRETS["developer"])
    assert account.allowed_addresses == ["10.0.0.0/8", "1.2.3.4"]


def test_an_address_that_is_none_is_refused(root: Client, world: World) -> None:
    response = root.post(page_of(world.smart), {**SMART, "allowed_addresses": "somewhere"})
    assert "somewhere is neither" in str(response.context["adminform"].form.errors["allowed_addresses"])


def test_a_new_key_is_shown_once_and_kept_as_a_hash(root: Client, world: World) -> None:
    words = act(root, world.partner, "new-key")[0]
    found: Any = re.search(r"cp_[\w-]{43}", words)
    stored = ApiKey.objects.latest("pk")
    assert (stored.prefix, stored.key_hash) == (found[0][:8], found_by(found[0])[0])
    assert found[0] in root.get(page_of(world.partner)).content.decode()
    assert found[0] not in root.get(page_of(world.partner)).content.decode()
