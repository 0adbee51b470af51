"""Every model has pages that open, in both languages, with data in them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from unfold.admin import ModelAdmin

from tests.admin.conftest import SECRETS, World
from tests.admin.pages import add_of, list_of, page_of

OURS = [model for app in ("merchants", "coupons", "integrations") for model in apps.get_app_config(app).get_models()]
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
LANGUAGES = {"zh-hans": "优惠券管理后台", "en": "Coupon portal"}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_model_of_ours_has_pages_of_unfold(model: Any) -> None:
    assert isinstance(admin.site._registry[model], ModelAdmin)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_pages_of_every_model_open(
    browser: Callable[..., Client], administrator: User, model: Any, language: str
) -> None:
    client = browser(administrator, language)
    row = model._default_manager.order_by("pk").last()
    addresses = [list_of(model), f"{list_of(model)}?q=1234567890123456", f"{list_of(model)}?e=1"]
    if admin.site._registry[model].has_add_permission(_request_of(administrator)):
        addresses.append(add_of(model))
    if row is not None:
        addresses += [page_of(row), page_of(row).replace("/change/", "/history/")]
    for address in addresses:
        response = client.get(address, follow=True)
        assert response.status_code == 200, address
        assert LANGUAGES[language] in response.content.decode()


def test_every_row_has_a_page(root: Client) -> None:
    for model in OURS:
        for row in model._default_manager.all():
            assert root.get(page_of(row)).status_code == 200, row


def test_lists_and_pages_take_no_query_more_for_more_rows(root: Client, django_assert_max_num_queries: Any) -> None:
    for model in OURS:
        with django_assert_max_num_queries(25):
            root.get(list_of(model))


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_secrets_are_never_shown(root: Client, world: World, model: Any) -> None:
    for row in model._default_manager.all():
        html = root.get(page_of(row)).content.decode() + root.get(list_of(model)).content.decode()
        assert not [secret for secret in SECRETS.values() if secret in html]


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "欢迎回到"), ("en", "Welcome back to")])
def test_the_sign_in_page_speaks_both_languages_and_switches(
    client: Client, db: None, language: str, words: str
) -> None:
    html = client.get("/admin/login/", headers={"accept-language": language}).content.decode()
    assert words in html
    assert 'name="language" value="en"' in html


def test_chinese_is_what_nobody_asked_for(client: Client, db: None) -> None:
    assert "欢迎回到" in client.get("/admin/login/").content.decode()


def test_an_empty_list_says_what_to_do_first(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    html = client.get("/admin/coupons/coupontemplate/", headers={"accept-language": "en"}).content.decode()
    assert "Add a template, publish it, and its coupons can be issued." in html


def _request_of(user: User) -> Any:
    class Request:
        pass

    request: Any = Request()
    request.user = user
    return request
