"""Dear templates as staff see them: the dialog, the list, and the question before an open one is changed."""

from typing import Any

import pytest
from django.test import Client

from coupons import templates
from coupons.choices import TemplateStatus
from coupons.models import Approval, CouponTemplate
from tests.admin.conftest import World
from tests.admin.pages import act, act_on_selected, action_of, page_of, said
from tests.admin.test_template_form import NO_VERSIONS, TYPED
from tests.approvals.helpers import ASKED, buttons, stored
from tests.factories import CouponTemplateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.APPROVE_COUPONS, settings.APPROVE_YUAN, settings.APPROVE_TEMPLATE_YUAN = 3, 100, 500


@pytest.fixture
def dear(world: World) -> CouponTemplate:
    """A draft worth 501 yuan."""
    template: CouponTemplate = CouponTemplateFactory(merchant=world.own, title="周年券", amount_fen=50_100)
    return template


def test_a_dear_template_is_asked_for_and_published(lili: Client, second: Client, dear: CouponTemplate) -> None:
    dialog = lili.get(action_of(dear, "publish")).content.decode()
    assert "One coupon is worth more than ¥500." in dialog
    assert lili.post(action_of(dear, "publish"), {"_form_submitted": "1"}).status_code == 200
    assert act(lili, dear, "publish", reason="周年") == ASKED
    assert stored(dear).status == TemplateStatus.DRAFT
    assert "Publish" not in buttons(lili, dear)
    request = Approval.objects.get()
    assert "¥501" in second.get(page_of(request)).content.decode()
    act(second, request, "approve")
    assert stored(dear).status == TemplateStatus.PUBLISHED
    act(lili, dear, "pause")
    assert act(lili, dear, "resume") == ["Resumed."]


def test_publishing_from_the_list_passes_over_what_needs_a_second(
    lili: Client, world: World, dear: CouponTemplate
) -> None:
    done = act_on_selected(lili, [world.draft, dear], "publish_selected")
    words = said(done)
    assert "1 template done." in words
    assert any("A second person must approve this" in one for one in words)
    assert (stored(world.draft).status, stored(dear).status) == (TemplateStatus.PUBLISHED, TemplateStatus.DRAFT)


def test_a_copy_of_a_dear_template_is_asked_for_anew(lili: Client, dear: CouponTemplate) -> None:
    templates.publish(dear)
    act(lili, dear, "duplicate")
    copy = CouponTemplate.objects.latest("pk")
    assert act(lili, copy, "publish", reason="x") == ASKED


@pytest.fixture
def as_it_is(world: World) -> dict[str, Any]:
    template = world.template
    own = {
        "title": template.title, "amount": "10", "min_spend": "50", "stock": "100",
        "start_date": str(template.start_date), "end_date": str(template.end_date),
    }  # fmt: skip
    return {**TYPED, **NO_VERSIONS, **own}


def test_an_open_template_is_raised_by_a_second_person(
    lili: Client, second: Client, world: World, as_it_is: dict[str, Any]
) -> None:
    asked = lili.post(page_of(world.template), {**as_it_is, "amount": "600"})
    html = asked.content.decode()
    assert "One coupon is worth more than ¥500." in html
    assert "Ask for approval" in html
    again: dict[str, list[str]] = {}
    for name, value in asked.context["kept"]:
        again.setdefault(name, []).append(value)
    yes = {**again, asked.context["confirmed"]: asked.context["digest"]}
    silent = lili.post(page_of(world.template), yes)
    assert "This field is required." in silent.content.decode()
    assert not Approval.objects.exists()
    sent = lili.post(page_of(world.template), {**yes, "approval-reason": "周年"})
    assert sent.status_code == 302
    assert said(sent) == ["Nothing has been changed yet: your request waits for a second person."]
    assert stored(world.template).amount_fen == 1000
    request = Approval.objects.get()
    shown = second.get(page_of(request)).content.decode()
    assert "¥10 off" in shown
    assert "¥600 off" in shown
    act(second, request, "approve")
    assert stored(world.template).amount_fen == 60_000
    assert world.template.versions.count() == 2


def test_the_form_cannot_go_past_the_question(lili: Client, world: World, as_it_is: dict[str, Any]) -> None:
    response = lili.post(page_of(world.template), {**as_it_is, "amount": "600", "_changes_confirmed": "guessed"})
    assert response.status_code == 200
    assert stored(world.template).amount_fen == 1000
