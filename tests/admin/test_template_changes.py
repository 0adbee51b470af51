"""The question before an open template is changed: what it says, that it is asked once, and that nothing is lost."""

from typing import Any

import pytest
from django.test import Client

from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from tests.admin.conftest import World
from tests.admin.pages import page_of, said, save_changes
from tests.admin.test_template_form import NO_VERSIONS, TYPED, errors_of
from tests.factories import published


@pytest.fixture
def as_it_is(world: World) -> dict[str, Any]:
    """What the form of the published template posts if nobody touches it."""
    template = world.template
    own = {
        "title": template.title, "amount": "10", "min_spend": "50", "stock": "100",
        "start_date": str(template.start_date), "end_date": str(template.end_date),
    }  # fmt: skip
    return {**TYPED, **NO_VERSIONS, **own}


def stored(world: World) -> CouponTemplate:
    return CouponTemplate.objects.get(pk=world.template.pk)


def test_each_change_is_shown_in_words_and_nothing_is_saved(
    lili: Client, world: World, as_it_is: dict[str, Any]
) -> None:
    changes = {"amount": "15", "use_weekdays": ["1", "2"], "shop_entity_ids": ["10000001"], "stock": ""}
    asked = lili.post(page_of(world.template), {**as_it_is, **changes})
    assert asked.status_code == 200
    found = {(one.label, one.before, one.after) for one in asked.context["changes"]}
    assert found == {
        ("Worth", "¥10 off", "¥15 off"),
        ("Weekdays", "no restriction", "Mon, Tue"),
        ("Valid in these shops", "all shops", "西湖店"),
        ("Stock", "100", "no limit"),
    }
    html = asked.content.decode()
    assert "2 coupons are out with customers. Nothing changes for them: their terms are frozen." in html
    assert "¥15 off from ¥50, Mon, Tue, 西湖店" in html
    assert (stored(world).amount_fen, stored(world).stock) == (1000, 100)


def test_yes_saves_what_was_typed_and_asks_no_more(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    rows = {"use_times_from": ["11:00", "17:00"], "use_times_to": ["14:00", "21:00"]}
    save_changes(lili, world.template, {**as_it_is, **rows, "notice": "一\n二", "_continue": "1"})
    assert stored(world).use_times == ["11:00-14:00", "17:00-21:00"]
    assert stored(world).notice.split() == ["一", "二"]
    assert world.template.versions.count() == 2


def test_a_form_without_changes_asks_nothing(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    response = lili.post(page_of(world.template), {**as_it_is, "reference": "own"})
    assert response.status_code == 302
    assert stored(world).reference == "own"


def test_limits_alone_leave_the_terms(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    asked = lili.post(page_of(world.template), {**as_it_is, "stock": "200"})
    assert "The terms stay as they are; only the limits change." in asked.content.decode()
    save_changes(lili, world.template, {**as_it_is, "stock": "200"})
    assert world.template.versions.count() == 1


def test_errors_come_before_the_question(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    response = lili.post(page_of(world.template), {**as_it_is, "title": "新标题", "amount": "0"})
    assert list(errors_of(response)) == ["amount"]
    assert "新标题" in response.content.decode()


def test_back_leads_to_the_form_with_what_was_typed(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    response = lili.post(page_of(world.template), {**as_it_is, "title": "新标题", "_back_to_form": "yes"})
    assert errors_of(response) == {}
    assert said(response) == ["Nothing has been saved yet: this is what you typed."]
    assert "新标题" in response.content.decode()
    assert stored(world).title == "满50减10"


def test_a_yes_to_other_changes_is_no_yes(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    asked = lili.post(page_of(world.template), {**as_it_is, "amount": "15"})
    yes = {asked.context["confirmed"]: asked.context["digest"]}
    again = lili.post(page_of(world.template), {**as_it_is, "amount": "51", **yes})
    assert again.context["changes"][0].after == "¥51 off"
    CouponTemplate.objects.filter(pk=world.template.pk).update(amount_fen=1200)  # somebody else was faster
    assert lili.post(page_of(world.template), {**as_it_is, "amount": "15", **yes}).status_code == 200
    assert stored(world).amount_fen == 1200


@pytest.mark.parametrize("status", [TemplateStatus.DRAFT, TemplateStatus.ENDED])
def test_what_is_not_issued_is_changed_without_a_question(
    lili: Client, world: World, as_it_is: dict[str, Any], status: str
) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(status=status)
    fields = {**as_it_is, "title": "新标题", "merchant": world.own.pk}
    assert lili.post(page_of(world.template), fields).status_code == 302
    assert stored(world).title == "新标题"


def test_nobody_is_concerned_where_no_coupon_is_out(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    template = published(merchant=world.own)
    asked = lili.post(page_of(template), {**as_it_is, "stock": "7"})
    assert "No coupon is out with customers" in asked.content.decode()


def test_somebody_elses_template_is_404(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    response = lili.post(page_of(world.other_template), {**as_it_is, "title": "新标题"})
    assert response.status_code in (302, 404)
    world.other_template.refresh_from_db()
    assert world.other_template.title == "别家的券"
