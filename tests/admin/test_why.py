"""The page "Why can it not be used?": whose coupons it knows, what it says, and that it keeps what was typed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from coupons import lifecycle
from coupons.models import CouponEvent, IssuedCoupon
from merchants.clock import day_start
from tests.admin.conftest import World
from tests.admin.pages import action_of, page_of
from tests.coupons.rules import codes, delivered
from tests.factories import CustomerFactory, ShopFactory, issued, published

NOT_OURS = "There is no such coupon among your merchants."


def ask(client: Client, coupon: IssuedCoupon | str, **asked: Any) -> Any:
    code = coupon if isinstance(coupon, str) else coupon.code
    return client.get(reverse("admin:coupons_issuedcoupon_why"), {"code": code, **asked})


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.fixture
def lunch(world: World) -> IssuedCoupon:
    """A delivered coupon for lunch at Westlake, eating in."""
    template = published(
        merchant=world.own, use_times=["11:00-14:00"], shop_entity_ids=["10000001"], channels=["dine_in"]
    )
    return delivered(issued(template, CustomerFactory(merchant=world.own)))


def tomorrow(hour: int) -> str:
    day = timezone.localdate() + timedelta(days=1)
    return (day_start(day) + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M")


def test_the_empty_page_asks_for_a_code(lili: Client, world: World) -> None:
    response = lili.get(reverse("admin:coupons_issuedcoupon_why"))
    assert "Enter a coupon's code and" in text(response)
    assert "judgement" not in response.context
    shops = dict(response.context["form"].fields["shop"].choices)
    assert shops == {"": "not asked", "10000001": "西湖店"}  # the one merchant's that lili sees


def test_a_coupon_that_can_be_used(lili: Client, lunch: IssuedCoupon) -> None:
    response = ask(lili, lunch, shop="10000001", at=tomorrow(12), amount="50", channel="dine_in")
    html = text(response)
    assert "It can be used" in html
    assert "What to do" not in html
    assert "cancel</span>" not in html
    assert response.context["judgement"].usable


def test_what_was_not_asked_is_said(lili: Client, lunch: IssuedCoupon) -> None:
    html = text(ask(lili, lunch, at=tomorrow(12)))
    assert "As far as was asked, it can be used" in html
    assert "Not asked: shop, channels, least spend." in html


def test_a_coupon_that_cannot_says_why_what_to_do_and_when_next(lili: Client, lunch: IssuedCoupon) -> None:
    other = ShopFactory(merchant=lunch.merchant, name="滨江店")
    response = ask(lili, lunch, shop=other.entity_id, at=tomorrow(9), amount="40.5", channel="take_away")
    html = text(response)
    assert "It cannot be used" in html
    assert codes(response.context["judgement"]) == ["outside_hours", "wrong_shop", "wrong_channel", "below_minimum"]
    assert "The bill of ¥40.50 is ¥9.50 short of ¥50." in html
    assert "Use it in: 西湖店." in html
    there = lili.get(response.context["next"]["link"])
    assert there.context["form"].data["at"] == f"{tomorrow(11)}:00"
    assert codes(there.context["judgement"]) == ["wrong_shop", "wrong_channel", "below_minimum"]
    assert there.context["next"] is None


def test_nothing_is_changed_by_asking(lili: Client, world: World) -> None:
    before = IssuedCoupon.objects.filter(pk=world.coupon.pk).values().get(), CouponEvent.objects.count()
    ask(lili, world.coupon)
    assert (IssuedCoupon.objects.filter(pk=world.coupon.pk).values().get(), CouponEvent.objects.count()) == before


def test_another_merchants_coupon_is_none_and_an_unknown_code_is_the_same(
    lili: Client, root: Client, world: World
) -> None:
    theirs, unknown = ask(lili, world.other_coupon), ask(lili, "1000000000000000")
    for response in (theirs, unknown):
        assert NOT_OURS in text(response)
        assert "judgement" not in response.context
        assert "别家" not in text(response)
    assert ask(root, world.other_coupon).context["judgement"] is not None


def test_another_merchants_shop_is_no_choice(lili: Client, root: Client, lunch: IssuedCoupon) -> None:
    for client in (lili, root):
        response = ask(client, lunch, shop="20000001")
        assert "Choose a shop of this coupon&#x27;s merchant." in text(response)
        assert "judgement" not in response.context


def test_shops_follow_the_code(root: Client, world: World) -> None:
    def shops(**asked: Any) -> list[str]:
        form = root.get(reverse("admin:coupons_issuedcoupon_why"), asked).context["form"]
        return [name for _key, name in form.fields["shop"].choices[1:]]

    assert shops() == []  # two merchants: whose shops is not known yet
    assert shops(code=world.coupon.code) == ["西湖店"]
    assert shops(code=world.other_coupon.code) == ["别家店"]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("code", "12345", "A code has 16 digits."),
        ("code", "１２３４５６７８９０１２３４５x", "A code has 16 digits."),
        ("code", "", "This field is required."),
        ("at", "yesterday", "Enter a valid date/time."),
        ("at", "0001-01-01T00:00", "Years lie between 2000 and 2199."),
        ("at", "9999-12-31T23:59", "Years lie between 2000 and 2199."),
        ("amount", "-1", "greater than or equal to 0"),
        ("amount", "1.234", "no more than 2 decimal places"),
        ("channel", "by_post", "Select a valid choice."),
    ],
)
def test_bad_input_is_told_at_its_field_and_kept(
    lili: Client, lunch: IssuedCoupon, field: str, typed: str, said: str
) -> None:
    response = lili.get(reverse("admin:coupons_issuedcoupon_why"), {"code": lunch.code, "amount": "88.8", field: typed})
    html = text(response)
    form = response.context["form"]
    assert list(form.errors) == [field]
    assert said in str(form.errors[field])
    assert typed in form[field].value()
    if field != "amount":
        assert 'value="88.8"' in html


def test_codes_are_read_as_people_write_them(lili: Client, world: World) -> None:
    code = world.coupon.code
    grouped = " ".join(code[at : at + 4] for at in range(0, 16, 4))
    wide = code.translate({ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"})
    for typed in (f" {code} ", grouped, grouped.replace(" ", "-"), wide):
        assert ask(lili, typed).context["coupon"] == world.coupon


def test_the_button_on_the_coupons_page_leads_here(lili: Client, world: World) -> None:
    assert "Why can it not be used?" in text(lili.get(page_of(world.coupon)))
    response = lili.get(action_of(world.coupon, "why"), follow=True)
    assert response.context["coupon"] == world.coupon
    assert lili.get(action_of(world.other_coupon, "why")).status_code == 404


def test_the_sidebar_marks_this_page_and_not_the_list(lili: Client, world: World) -> None:
    def marked(address: str) -> set[str]:
        groups = lili.get(address).context["sidebar_navigation"]
        return {str(item["title"]) for group in groups for item in group["items"] if item["active"]}

    assert marked(reverse("admin:coupons_issuedcoupon_why")) == {"Why can it not be used?"}
    assert marked(page_of(world.coupon)) == {"Issued coupons"}


def test_who_may_not_view_coupons_may_not_ask(browser: Callable[..., Client], staff: User, world: World) -> None:
    staff.user_permissions.remove(*Permission.objects.filter(codename__endswith="_issuedcoupon"))
    client = browser(staff)
    assert ask(client, world.coupon).status_code == 403
    assert Client().get(reverse("admin:coupons_issuedcoupon_why")).status_code == 302


def test_links_are_offered_to_those_who_may_follow_them(
    browser: Callable[..., Client], staff: User, world: World
) -> None:
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([world.coupon.pk])[0], reason="x", actor="staff:lili")
    assert page_of(world.template) in text(ask(browser(staff), world.coupon))
    staff.user_permissions.remove(*Permission.objects.filter(codename__endswith="_coupontemplate"))
    html = text(ask(browser(User.objects.get(pk=staff.pk)), world.coupon))
    assert page_of(world.template) not in html
    assert "It was revoked on" in html


def test_dfires_own_end_is_told_where_it_comes_first(lili: Client, world: World) -> None:
    delivered(world.coupon, until=day_start(timezone.localdate()))
    today, after = ask(lili, world.coupon), ask(lili, world.coupon, at=tomorrow(12))
    assert "By dfire&#x27;s own end it is over" not in text(today)
    assert "By dfire&#x27;s own end it is over" in text(after)
    assert after.context["judgement"].usable


def test_it_speaks_chinese(browser: Callable[..., Client], staff: User, lunch: IssuedCoupon) -> None:
    assert "券码" in text(ask(browser(staff, "zh-hans"), lunch))
