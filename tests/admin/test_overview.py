"""The first page and the sidebar: numbers that lead to exactly their rows, and what to do first."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.admin.conftest import World


def test_a_stopped_account_is_said_at_once(lili: Client, root: Client, world: World) -> None:
    for client in (lili, root):
        assert "25 无效签名" in client.get("/admin/").content.decode()
    assert "Mend the account" not in lili.get("/admin/").content.decode()


def test_an_empty_portal_says_what_to_do_first(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    html = client.get("/admin/", headers={"accept-language": "en"}).content.decode()
    assert "Connect an account of dfire" in html
    assert "Add a coupon template and publish it" in html


def test_whoever_has_no_permissions_is_told(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("new", is_staff=True))
    html = client.get("/admin/", headers={"accept-language": "en"}).content.decode()
    assert "You may not see anything yet" in html


def test_the_sandbox_is_linked_only_where_it_is_on(root: Client, world: World, settings: Any) -> None:
    settings.DFIRE_SANDBOX, settings.SANDBOX_URL = True, "http://sandbox.test:9100"
    assert "http://sandbox.test:9100/till" in root.get("/admin/").content.decode()
    settings.DFIRE_SANDBOX = False
    assert "sandbox.test" not in root.get("/admin/").content.decode()


def test_the_sidebar_shows_what_one_may_see(lili: Client, root: Client, world: World) -> None:
    def titles(client: Client) -> set[str]:
        groups = client.get("/admin/").context["sidebar_navigation"]
        return {str(item["title"]) for group in groups for item in group["items"] if item["has_permission"]}

    assert {"Coupon templates", "Issued coupons", "Customers", "Outbox", "Inbox"} <= titles(lili)
    assert "dfire accounts" not in titles(lili)
    assert {"dfire accounts", "Users", "Partner apps"} <= titles(root)


def test_badges_count_what_waits_for_staff(lili: Client, world: World) -> None:
    groups = lili.get("/admin/").context["sidebar_navigation"]
    badges = {str(item["title"]): item.get("badge") for group in groups for item in group["items"]}
    assert (badges["Outbox"], badges["Inbox"]) == ("1", "1")


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "页面不存在"), ("en", "There is nothing here")])
def test_errors_speak_the_users_language(browser: Any, staff: User, world: World, language: str, words: str) -> None:
    response = browser(staff, language).get("/admin/nowhere/")
    assert response.status_code == 404
    assert words in response.content.decode()
