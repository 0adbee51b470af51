"""Where a template's terms stand in one sentence: its page and list, the coupon's page, and the dialogs that ask."""

import pytest
from django.test import Client

from coupons.models import CouponTemplate
from tests.admin.conftest import World
from tests.admin.pages import action_of, list_of, page_of
from tests.factories import CouponTemplateFactory


def say(template: CouponTemplate) -> str:
    CouponTemplate.objects.filter(pk=template.pk).update(
        use_weekdays=[1, 2, 3], shop_entity_ids=["10000001"], valid_days=15
    )
    return "¥10 off from ¥50, Mon–Wed, 西湖店, valid 15 days from receipt"


def test_the_list_says_it_and_asks_for_the_shops_once(
    lili: Client, world: World, django_assert_max_num_queries: object
) -> None:
    words = say(world.draft)
    assert words in lili.get(list_of(CouponTemplate)).content.decode()
    with django_assert_max_num_queries(40) as few:  # type: ignore[operator]
        lili.get(list_of(CouponTemplate))
    for _each in range(10):
        say(CouponTemplateFactory(merchant=world.own))
    with django_assert_max_num_queries(len(few)):  # type: ignore[operator]
        lili.get(list_of(CouponTemplate))


def test_the_pages_of_template_and_coupon_say_it(lili: Client, world: World) -> None:
    assert say(world.draft) in lili.get(page_of(world.draft)).content.decode()
    words = "¥10 off from ¥50, all shops, valid until"
    assert words in lili.get(page_of(world.coupon)).content.decode()


@pytest.mark.parametrize("path", ["publish", "duplicate", "remove"])
def test_dialogs_say_what_they_are_about(lili: Client, world: World, path: str) -> None:
    assert say(world.draft) in lili.get(action_of(world.draft, path)).content.decode()


def test_dialogs_say_how_many_are_out(lili: Client, world: World) -> None:
    assert "2 coupons are out with customers." in lili.get(action_of(world.template, "end")).content.decode()


def test_a_dialog_about_somebody_elses_template_is_404(lili: Client, world: World) -> None:
    assert lili.get(action_of(world.other_template, "end")).status_code == 404
    assert lili.get(action_of(world.draft, "publish").replace(str(world.draft.pk), "x")).status_code == 404


def test_the_dialog_that_publishes_names_likely_slips(lili: Client, world: World) -> None:
    address = action_of(world.draft, "publish")
    assert "portal-notice-warning" not in lili.get(address).content.decode()
    CouponTemplate.objects.filter(pk=world.draft.pk).update(min_spend_fen=1000)
    assert "It takes off ¥10 from a bill of ¥10 on" in lili.get(address).content.decode()
