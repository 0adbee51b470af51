"""Between merchants stand walls: whoever sees one merchant finds nothing of another at any address of the admin.

The addresses come from Django's resolver and the rows from each page's own way to the merchant, so that a new page is
walked as well. The stranger has every right there is but to administer, so that scopes alone stand in the way.
"""

import io
import zipfile
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client

from coupons.models import DayFigures
from integrations.models import DfireCallback, Push
from merchants.admin.accounts import AccountsPage
from merchants.admin.base import ScopedAdmin
from merchants.models import Customer, Merchant, MerchantScope
from tests.admin.conftest import World
from tests.admin.pages import list_of
from tests.people.addresses import addresses
from tests.people.everything import one_of_everything

THEIR_MOBILE = "13700009999"
MARKS = [
    "别家餐厅",
    "别家的券",
    "别家店",
    "别家平台",
    "别家名单",
    "22222222",
    "20000001",
    THEIR_MOBILE,
    "137****9999",
    "openid-别家",
    "别家小程序",
    "别家订单",
    "theirs.example",
    "别家的回答",
]
ASKED = ("别家餐厅", "别家的券", THEIR_MOBILE)
FILTERS = ("merchant", "merchants", "merchant__id__exact", "template", "template__id__exact", "shop")
LEAVES = {"admin:logout", "logout"}
EVERY = addresses()
MODELS = sorted({address.model for address in EVERY if address.model}, key=lambda model: model._meta.label)
SCOPED = [model for model in MODELS if isinstance(admin.site._registry[model], ScopedAdmin)]


@pytest.fixture
def neighbours(world: World) -> World:
    """The world, in which the other merchant has one of everything that has pages."""
    world.other_coupon = one_of_everything(
        world, world.other_template, world.other_incident, name="别家", mobile=THEIR_MOBILE, host="theirs.example"
    )
    return world


@pytest.fixture
def stranger(neighbours: World, browser: Any) -> Client:
    """Someone with every right but to administer, who sees the first merchant alone."""
    user = User.objects.create_user("stranger", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(content_type__app_label="auth"))
    MerchantScope.objects.create(user=user).merchants.add(neighbours.own)
    client: Client = browser(user)
    return client


def theirs(model: type[Model], world: World) -> list[Any]:
    """The other merchant's rows of a model, by the way that its page names."""
    page = admin.site._registry[model]
    if isinstance(page, AccountsPage):
        return list(model._default_manager.filter(merchants=world.other))
    if not isinstance(page, ScopedAdmin):
        return []
    path = "coupon__merchant" if model is Push else page.merchant_path
    return list(model._default_manager.filter(**{path or "pk": world.other if path else world.other.pk}))


def text_of(response: Any) -> str:
    """All that an answer tells, of spreadsheets the sheets' text; its headers, too."""
    body = b"".join(response) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            body = b"\n".join(file.read(name) for name in file.namelist())
    return body.decode("utf-8", "replace") + str(dict(response.items()))


def tells_nothing(response: Any, world: World, where: str, *, but: str = "") -> None:
    """None of the other merchant's names, codes and numbers is in the answer; what was asked for may be repeated."""
    text = text_of(response).replace(but, "") if but else text_of(response)
    marks = [*MARKS, *world.other_template.coupons.values_list("code", flat=True)]
    assert not [mark for mark in marks if mark in text], where
    assert response.status_code < 500, where


def actions_of(listed: Any) -> list[str]:
    """The names of the actions that a list offers."""
    if listed.status_code != 200:
        return []
    page = listed.context["cl"].model_admin
    return [name for name, _words in page.get_action_choices(listed.wsgi_request, []) if name]


def page_searches(model: Any) -> bool:
    """Whether the model's list can be searched."""
    return bool(admin.site._registry[model].search_fields)


def test_the_other_merchant_has_one_of_everything(neighbours: World) -> None:
    assert len(SCOPED) > 15
    assert not [model.__name__ for model in SCOPED if not theirs(model, neighbours)]


def test_the_walk_goes_everywhere() -> None:
    assert {address.model for address in EVERY} >= set(admin.site._registry)
    assert len(EVERY) > 300
    assert len([address for address in EVERY if address.of_a_row]) > 150
    assert [address.route for address in EVERY if address.route.startswith("/admin/settlement/")]


@pytest.mark.parametrize("model", SCOPED, ids=lambda model: model.__name__)
def test_no_address_and_no_action_reaches_a_foreign_row(stranger: Client, neighbours: World, model: Any) -> None:
    rows = theirs(model, neighbours)
    before = list(model._default_manager.filter(pk__in=[row.pk for row in rows]).order_by("pk").values())
    form = {
        "_form_submitted": "1",
        "post": "yes",
        "reason": "x",
        "code": neighbours.coupon.code,
        "name": "x",
        "decision": "dismissed",
        "hours": "1",
        "mode": "full",
        "customer": neighbours.coupon.customer.identifier,
    }
    for address in (one for one in EVERY if one.model is model and one.of_a_row):
        for row in rows[:2]:
            for response in (stranger.get(address.at(row.pk)), stranger.post(address.at(row.pk), form)):
                assert response.status_code in (302, 403, 404, 405), address
                tells_nothing(response, neighbours, address.route)
    listed = stranger.get(list_of(model))
    for name in actions_of(listed):
        for every in ("0", "1"):
            chosen = {"action": name, "_selected_action": [row.pk for row in rows], "index": 0, "select_across": every}
            told = stranger.post(list_of(model), {**chosen, "post": "yes", "reason": "x"})
            tells_nothing(told, neighbours, f"{model.__name__}: {name}")
    assert list(model._default_manager.filter(pk__in=[row.pk for row in rows]).order_by("pk").values()) == before


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_list_form_file_filter_or_search_tells_of_the_other(stranger: Client, neighbours: World, model: Any) -> None:
    for address in (one for one in EVERY if one.model is model and not one.of_a_row):
        tells_nothing(stranger.get(address.route), neighbours, address.route)
    page = list_of(model)
    fields = {field.name for field in model._meta.get_fields()}
    for name in [name for name in FILTERS if name.split("__")[0] in fields and "__" in name]:
        value = neighbours.other_template.pk if "template" in name else neighbours.other.pk
        for base in (page, f"{page}export-csv/"):
            tells_nothing(stranger.get(base, {name: value}, follow=True), neighbours, f"{base}?{name}={value}")
    for mark in (*ASKED, neighbours.other_coupon.code) if page_searches(model) else ():
        response = stranger.get(page, {"q": mark})
        if response.status_code == 200:
            tells_nothing(response, neighbours, f"{page}?q={mark}", but=mark)
            assert not [row for row in response.context["cl"].result_list if row in theirs(model, neighbours)]


def test_no_page_that_is_no_model_s_tells_of_the_other(stranger: Client, neighbours: World) -> None:
    choices = [{}, *({name: str(neighbours.other.pk)} for name in FILTERS)]
    choices += [{**choice, "format": "csv"} for choice in choices]
    for address in (one for one in EVERY if one.model is None and one.name not in LEAVES):
        for choice in choices:
            route = address.at("coupons")
            tells_nothing(stranger.get(route, choice), neighbours, f"{route} {choice}")


def test_no_choice_that_completes_itself_offers_the_other(stranger: Client, neighbours: World) -> None:
    asked = 0
    for model, page in admin.site._registry.items():
        inlines = [(inline.model, inline.autocomplete_fields) for inline in page.inlines]
        for owner, fields in [(model, page.get_autocomplete_fields(None)), *inlines]:  # type: ignore[arg-type]
            for field in fields:
                name = {"app_label": owner._meta.app_label, "model_name": owner._meta.model_name, "field_name": field}
                for term in ("", *ASKED):
                    asked += 1
                    response = stranger.get("/admin/autocomplete/", {**name, "term": term})
                    tells_nothing(response, neighbours, f"{name} {term}")
    assert asked > 20


def test_the_search_of_the_sidebar_finds_nothing_of_the_other(stranger: Client, neighbours: World) -> None:
    for mark in (*ASKED, neighbours.other_coupon.code):
        for more in ({}, {"extended": "1"}):
            response = stranger.get("/admin/search/", {"s": mark, **more})
            tells_nothing(response, neighbours, mark, but=mark)


def test_what_a_form_sends_by_hand_reaches_nothing_of_the_other(stranger: Client, neighbours: World) -> None:
    counts = {model: model._default_manager.count() for model in (Customer, DfireCallback, DayFigures)}
    for model in SCOPED:
        page = admin.site._registry[model]
        if not page.has_add_permission(stranger.get("/admin/").wsgi_request):
            continue
        form = {"merchant": neighbours.other.pk, "identifier": "x", "name": "x", "entity_id": "9", "title": "x"}
        tells_nothing(stranger.post(f"{list_of(model)}add/", form), neighbours, model.__name__)
    assert {model: model._default_manager.count() for model in counts} == counts
    assert Merchant.objects.get(pk=neighbours.other.pk).shops.count() == 1


def test_an_account_that_a_foreign_merchant_uses_too_is_not_the_stranger_s(stranger: Client, neighbours: World) -> None:
    neighbours.smart.name = "自家平台"
    neighbours.smart.save()
    shown = stranger.get("/admin/merchants/smartcouponaccount/").content.decode()
    assert neighbours.smart.name in shown
    assert stranger.get(f"/admin/merchants/smartcouponaccount/{neighbours.smart.pk}/change/").status_code == 200
    neighbours.smart.merchants.add(neighbours.other)
    assert neighbours.smart.name not in stranger.get("/admin/merchants/smartcouponaccount/").content.decode()
    assert stranger.get(f"/admin/merchants/smartcouponaccount/{neighbours.smart.pk}/change/").status_code == 302
