"""A member of staff sees the merchants of the scope, wherever something of a merchant could appear."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from coupons.models import CouponTemplate, IssuedCoupon
from merchants.models import Customer, DfireAccount, Merchant, Shop, SmartCouponAccount
from tests.admin.conftest import World
from tests.admin.pages import action_of, add_of, list_of, page_of

FOREIGN = ("别家餐厅", "别家的券", "别家店")


@pytest.mark.parametrize(
    "model", sorted(admin.site._registry, key=lambda model: model._meta.label), ids=lambda m: m.__name__
)
def test_no_list_and_no_form_names_another_merchant(lili: Client, world: World, model: Any) -> None:
    for address in (list_of(model), add_of(model)):
        response = lili.get(address)
        assert response.status_code in (200, 403)
        assert not [name for name in FOREIGN if name in response.content.decode()], address
        assert world.other_coupon.code not in response.content.decode()


@pytest.mark.parametrize(
    "name", ["other", "other_template", "other_coupon", "other_row", "other_callback", "other_incident"]
)
def test_another_merchants_page_is_not_there(lili: Client, world: World, name: str) -> None:
    response = lili.get(page_of(getattr(world, name)))
    assert response.status_code in (302, 404)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("other_template", "pause"),
        ("other_template", "issue"),
        ("other_template", "duplicate"),
        ("other_template", "remove"),
        ("other_coupon", "revoke"),
        ("other_coupon", "transfer"),
        ("other_coupon", "resend"),
        ("other_row", "retry"),
        ("other_row", "cancel"),
        ("other_callback", "try"),
        ("other_callback", "dismiss"),
        ("other_callback", "apply"),
    ],
)
def test_another_merchants_actions_are_not_there(lili: Client, world: World, name: str, path: str) -> None:
    row = getattr(world, name)
    before = type(row).objects.filter(pk=row.pk).values().get()
    form = {"_form_submitted": "1", "reason": "x", "customer": "13800000000", "decision": "dismissed"}
    form["code"] = world.coupon.code
    assert lili.post(action_of(row, path), form).status_code == 404
    assert type(row).objects.filter(pk=row.pk).values().get() == before


def test_own_things_are_there(lili: Client, world: World) -> None:
    for row in (world.own, world.template, world.coupon, world.dead, world.open_callback, world.coupon.customer):
        assert lili.get(page_of(row)).status_code == 200, row


def test_a_foreign_merchant_cannot_be_chosen_by_hand(lili: Client, world: World) -> None:
    response = lili.post(add_of(Customer), {"merchant": world.other.pk, "identifier": "x", "mobile": "", "openid": ""})
    assert response.status_code == 200
    assert not Customer.objects.filter(merchant=world.other, identifier="x").exists()


def test_a_foreign_merchants_shop_cannot_be_chosen_by_hand(lili: Client, world: World) -> None:
    response = lili.post(page_of(world.template), {"shop_entity_ids": ["20000001"]})
    assert "shop_entity_ids" in response.context["adminform"].form.errors


def test_autocompletion_offers_own_merchants(lili: Client, world: World) -> None:
    response = lili.get(
        reverse("admin:autocomplete"),
        {"app_label": "coupons", "model_name": "coupontemplate", "field_name": "merchant", "term": ""},
    )
    assert [found["id"] for found in response.json()["results"]] == [str(world.own.pk)]


def test_a_filter_by_a_foreign_template_shows_no_name(lili: Client, world: World) -> None:
    response = lili.get(list_of(IssuedCoupon), {"template__id__exact": world.other_template.pk})
    assert "别家的券" not in response.content.decode()


def test_search_finds_own_coupons_alone(lili: Client, world: World) -> None:
    assert world.coupon.code in lili.get(list_of(IssuedCoupon), {"q": world.coupon.code}).content.decode()
    html = lili.get(list_of(IssuedCoupon), {"q": world.other_coupon.customer.openid}).content.decode()
    assert world.other_coupon.code not in html


@pytest.mark.parametrize("model", [DfireAccount, SmartCouponAccount, User])
def test_accounts_and_users_are_the_administrators(lili: Client, model: Any) -> None:
    assert lili.get(list_of(model)).status_code == 403


def test_which_account_a_merchant_uses_is_the_administrators_to_choose(lili: Client, world: World) -> None:
    form = {"name": "新名", "merchant_id": "own", "entity_id": "1", "plate_entity_id": "2", "appid": "wx"}
    inline = {"shops-TOTAL_FORMS": 0, "shops-INITIAL_FORMS": 0}
    lili.post(page_of(world.own), {**form, **inline, "dfire_account": ""})
    merchant = Merchant.objects.get(pk=world.own.pk)
    assert (merchant.name, merchant.dfire_account) == ("新名", world.account)


def test_without_a_scope_nothing_is_seen(lili: Client, staff: User) -> None:
    staff.merchant_scope.merchants.clear()  # type: ignore[attr-defined]
    for model in (Merchant, Shop, Customer, CouponTemplate, IssuedCoupon):
        assert lili.get(list_of(model)).context["cl"].result_list.__len__() == 0


def test_a_shop_is_its_merchants_once(lili: Client, world: World) -> None:
    shop = Shop.objects.create(merchant=world.own, name="二店", entity_id="10000002")
    response = lili.post(page_of(shop), {"name": "二店", "entity_id": "10000001"})
    assert "a shop with this entity ID already" in response.content.decode()
