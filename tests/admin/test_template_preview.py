"""The card beside the form: of whatever is typed so far, with what is missing and what is likely to be a slip."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from coupons.models import CouponTemplate
from tests.admin.conftest import World
from tests.admin.pages import page_of
from tests.admin.test_template_form import typed

ADDRESS = reverse("admin:coupons_coupontemplate_preview")


def shown(client: Client, world: World, **fields: Any) -> str:
    response = client.post(ADDRESS, typed(world, **fields))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_card_shows_what_is_typed_and_stores_nothing(lili: Client, world: World) -> None:
    before = CouponTemplate.objects.count()
    html = shown(lili, world, notice="一\n二", shop_entity_ids=["10000001"], use_weekdays=["6", "7"])
    for words in ("满100减20", "<small>¥</small>20", "from ¥100.50", "自家火锅", "一<br>二"):
        assert words in html
    assert "¥20 off from ¥100.50, Sat, Sun, 西湖店, valid until" in html
    assert "Still to be entered" not in html
    assert CouponTemplate.objects.count() == before


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"title": "", "amount": ""}, "Title, Amount (yuan)"),
        ({"amount": "10.50"}, "Amount (yuan)"),
        ({"amount": "x"}, "Amount (yuan)"),
        ({"end_date": ""}, "End date"),
        ({"start_date": "nonsense"}, "Start date"),
        ({"end_date": "2026-10-01"}, "End date"),
        ({"use_times_from": ["22:00"], "use_times_to": ["02:00"]}, "Hours"),
        ({"kind": "discount", "amount": "x"}, "Percent paid"),
        ({"kind": "dish_price"}, "Dish IDs"),
        ({"stock": "-1"}, "Stock"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_the_rest_shown(
    lili: Client, world: World, fields: dict[str, Any], missing: str
) -> None:
    html = shown(lili, world, **fields)
    assert f"</strong> {missing}</p>" in html
    assert "portal-voucher" in html


def test_remarks_stand_below_the_card(lili: Client, world: World) -> None:
    assert "It takes off ¥20 from a bill of ¥20 on" in shown(lili, world, min_spend="20")
    assert "The budget of ¥5 does not pay for one coupon of ¥20" in shown(lili, world, budget="5")


def test_what_is_typed_is_escaped(lili: Client, world: World) -> None:
    assert "<b>x" not in shown(lili, world, title="<b>x", notice="<b>x")


def test_other_merchants_stay_unseen(lili: Client, world: World) -> None:
    html = shown(lili, world, merchant=world.other.pk, shop_entity_ids=["20000001"])
    assert "别家" not in html
    fields = typed(world)
    assert lili.post(f"{ADDRESS}?template={world.other_template.pk}", fields).status_code == 404
    assert "自家火锅" in lili.post(f"{ADDRESS}?template={world.template.pk}", fields).content.decode()


def test_it_needs_a_post_the_token_and_the_permission(lili: Client, staff: Any, world: World) -> None:
    assert lili.get(ADDRESS).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    assert strict.post(ADDRESS, typed(world)).status_code == 403
    staff.user_permissions.set(staff.user_permissions.filter(codename="view_coupontemplate"))
    assert lili.post(ADDRESS, typed(world)).status_code == 403


def test_who_may_only_look_sees_the_stored_card(lili: Client, staff: Any, world: World) -> None:
    staff.user_permissions.set(staff.user_permissions.filter(codename="view_coupontemplate"))
    html = lili.get(page_of(world.template)).content.decode()
    assert "portal-voucher-value" in html
    assert "data-portal-preview" not in html
