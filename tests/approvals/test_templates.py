"""Dear templates: publishing one, and raising one that is open, wait for a second person; machines do not."""

from typing import Any

import pytest

from coupons import templates
from coupons.approvals import asking, deciding, limits
from coupons.approvals.limits import NeedsApproval
from coupons.approvals.states import state_of, widens
from coupons.choices import Kind, TemplateStatus
from coupons.errors import Refused
from coupons.models import CouponTemplate
from tests.approvals.helpers import approver, asker, stored
from tests.factories import CouponTemplateFactory, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.APPROVE_COUPONS, settings.APPROVE_YUAN = 3, 100


def dear(**fields: Any) -> CouponTemplate:
    return CouponTemplateFactory(amount_fen=50_100, min_spend_fen=0, **fields)  # type: ignore[no-any-return]


def test_a_dear_template_waits_and_machines_do_not() -> None:
    template = dear()
    who, second = asker(template.merchant), approver(template.merchant)
    with pytest.raises(NeedsApproval):
        templates.publish(template, by=who)
    templates.publish(dear())
    request = asking.ask_to_publish(template, by=who, reason="周年")
    deciding.approve(request, by=second)
    assert stored(template).status == TemplateStatus.PUBLISHED
    templates.pause(template)
    templates.publish(template, by=who)  # what was approved is not asked for again
    assert stored(template).status == TemplateStatus.PUBLISHED


@pytest.mark.parametrize(("percent", "waits"), [(29, True), (30, False)])
def test_a_deep_discount_waits(percent: int, *, waits: bool) -> None:
    template = CouponTemplateFactory(kind=Kind.DISCOUNT, amount_fen=None, percent_paid=percent)
    assert bool(limits.to_publish(template)) == waits


def special(**fields: Any) -> CouponTemplate:
    return CouponTemplateFactory(kind=Kind.DISH_PRICE, menu_ids=["1"], min_spend_fen=0, **fields)  # type: ignore[no-any-return]


def test_a_dish_at_a_special_price_waits_until_its_cost_is_said(settings: Any) -> None:
    said = {name: special(amount_fen=100, cost_each_fen=cost) for name, cost in (("no", None), ("yes", 3000))}
    assert limits.to_publish(said["no"]).limit == limits.Limit.COST_UNSAID  # type: ignore[union-attr]
    assert limits.to_publish(said["yes"]) is None
    with pytest.raises(NeedsApproval, match="needs_approval"):
        templates.publish(said["no"], by=asker(said["no"].merchant))
    settings.APPROVE_TEMPLATE_YUAN = 0
    assert limits.to_publish(said["no"]) is None


@pytest.mark.parametrize(("paid", "wider"), [(4999, True), (5001, False)])
def test_a_dish_widens_where_the_customer_pays_less(paid: int, *, wider: bool) -> None:
    template = special(amount_fen=5000)
    before = state_of(template)
    template.amount_fen = paid
    assert (widens(before, state_of(template)), limits.rose(before, template)) == (wider, wider)


def test_a_draft_that_was_edited_since_is_not_published() -> None:
    template = dear()
    who, second = asker(template.merchant), approver(template.merchant)
    request = asking.ask_to_publish(template, by=who, reason="x")
    template.amount_fen = 90_000
    templates.save_edited(template, by=who)
    assert stored(request).lapse == "changed"
    with pytest.raises(Refused, match="approval_over"):
        deciding.approve(request, by=second)
    again = asking.ask_to_publish(template, by=who, reason="x")
    CouponTemplate.objects.filter(pk=template.pk).update(stock=7)  # behind the services' back
    with pytest.raises(Refused, match="approval_lapsed"):
        deciding.approve(again, by=second)
    assert stored(template).status == TemplateStatus.DRAFT


def test_an_open_template_is_not_raised_above_the_limit_alone() -> None:
    template = published(amount_fen=100, stock=10)
    who, second = asker(template.merchant), approver(template.merchant)
    template.amount_fen = 60_000
    with pytest.raises(NeedsApproval):
        templates.save_edited(template, by=who)
    request = asking.ask_to_change(template, by=who, reason="x")
    assert stored(template).amount_fen == 100
    deciding.approve(request, by=second)
    assert stored(template).amount_fen == 60_000
    assert template.versions.latest("number").terms.amount_fen == 60_000
    template = stored(template)
    template.stock = 20  # more of what is above the limit
    with pytest.raises(NeedsApproval):
        templates.save_edited(template, by=who)
    template.stock, template.title, template.amount_fen = 5, "周年券", 59_900
    templates.save_edited(template, by=who)  # less, and other words
    template.stock, template.amount_fen = 10, 60_000
    templates.save_edited(template, by=who)  # back to what was approved


def test_a_change_of_what_has_changed_since_lapses() -> None:
    template = published(amount_fen=100)
    who, second = asker(template.merchant), approver(template.merchant)
    edited = stored(template)
    edited.amount_fen = 60_000
    request = asking.ask_to_change(edited, by=who, reason="x")
    CouponTemplate.objects.filter(pk=template.pk).update(min_spend_fen=7)
    with pytest.raises(Refused, match="approval_lapsed"):
        deciding.approve(request, by=second)
    assert stored(template).amount_fen == 100


def test_a_deleted_template_keeps_its_requests() -> None:
    template = dear()
    request = asking.ask_to_publish(template, by=asker(template.merchant), reason="x")
    templates.delete(template)
    kept = stored(request)
    assert (kept.template, kept.subject, kept.state, kept.lapse) == (None, "满50减10", "lapsed", "nothing_left")


def test_what_an_earlier_release_kept_is_asked_for_anew() -> None:
    before = state_of(dear())
    after = state_of(dear())
    assert not widens(before, after)
    del before["terms"]["channels"]
    assert widens(before, after)
