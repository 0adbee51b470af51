"""What staff do with templates, from the page and from the list."""

import pytest
from django.test import Client

from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from merchants.models import Customer
from tests.admin.conftest import World
from tests.admin.pages import act, act_on_selected, action_of, list_of, page_of, said
from tests.factories import CustomerFactory, published


def status_of(template: CouponTemplate) -> str:
    return CouponTemplate.objects.get(pk=template.pk).status


def buttons(client: Client, template: CouponTemplate) -> set[str]:
    context = client.get(page_of(template)).context["actions_detail"]
    titles = {item["title"] for one in context for item in one.get("items", [one])}
    return {str(title) for title in titles}


def test_publish_pause_resume_end(lili: Client, world: World) -> None:
    for path, status in [("publish", "published"), ("pause", "paused"), ("resume", "published"), ("end", "ended")]:
        assert len(act(lili, world.draft, path)) == 1
        assert status_of(world.draft) == status


def test_a_dialog_that_is_only_opened_changes_nothing(lili: Client, world: World) -> None:
    lili.get(action_of(world.draft, "publish"))
    assert status_of(world.draft) == TemplateStatus.DRAFT


def test_only_what_can_be_done_is_offered(lili: Client, world: World) -> None:
    assert buttons(lili, world.draft) == {"Publish", "Duplicate", "Delete"}
    at_dfire = {"Sync now", "Compare with dfire"}
    in_many = {"Issue to many", "Recall all"}
    assert buttons(lili, world.template) == {"Issue a coupon", "Pause", "Duplicate", "End"} | at_dfire | in_many


def test_a_refused_action_says_why_and_not_that_it_was_done(lili: Client, world: World) -> None:
    assert act(lili, world.draft, "pause") == ["The template is not in a state in which this can be done."]
    assert status_of(world.draft) == TemplateStatus.DRAFT


def test_terms_that_cannot_be_promised_are_not_published(lili: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.draft.pk).update(use_times=["nonsense"])
    assert act(lili, world.draft, "publish")[0].startswith("Hours: nonsense")
    assert status_of(world.draft) == TemplateStatus.DRAFT


def test_duplicate_makes_a_draft_with_the_same_terms(lili: Client, world: World) -> None:
    act(lili, world.template, "duplicate")
    copy = CouponTemplate.objects.latest("pk")
    assert (copy.title, copy.status, copy.issued_count) == ("满50减10 (copy)", "draft", 0)
    assert (copy.amount_fen, copy.stock, copy.merchant) == (1000, 100, world.own)
    assert copy.coupon_id != world.template.coupon_id


def test_delete_removes_an_unused_template(lili: Client, world: World) -> None:
    act(lili, world.draft, "remove")
    assert not CouponTemplate.objects.filter(pk=world.draft.pk).exists()


def test_delete_is_refused_while_coupons_are_out(lili: Client, world: World) -> None:
    assert act(lili, world.template, "remove") == ["Coupons of this template are still out; recall them first."]
    assert status_of(world.template) == TemplateStatus.PUBLISHED


def test_actions_need_their_permissions(lili: Client, staff: object, world: World) -> None:
    staff.user_permissions.clear()  # type: ignore[attr-defined]
    for path in ("publish", "end", "issue", "duplicate", "remove"):
        assert lili.post(action_of(world.draft, path), {"_form_submitted": "1"}).status_code == 403


def test_publish_and_pause_the_selected(lili: Client, world: World) -> None:
    act_on_selected(lili, [world.draft], "publish_selected")
    response = act_on_selected(lili, [world.draft, world.template], "pause_selected")
    assert status_of(world.draft) == status_of(world.template) == "paused"
    assert said(response)[-1] == "2 templates done."


def test_end_the_selected_asks_first_and_says_how_many(lili: Client, world: World) -> None:
    rows = [world.template, published(merchant=world.own)]
    asked = act_on_selected(lili, rows, "end_selected")
    assert b"2 selected" in asked.content
    assert status_of(world.template) == "published"
    act_on_selected(lili, rows, "end_selected", confirmed="yes")
    assert status_of(world.template) == "ended"


def test_what_is_refused_among_the_selected_is_counted(lili: Client, world: World) -> None:
    response = act_on_selected(lili, [world.draft, world.template], "pause_selected")
    assert said(response) == [
        "1 not done: The template is not in a state in which this can be done.",
        "1 template done.",
    ]


def test_issue_a_coupon_to_a_new_customer(lili: Client, world: World) -> None:
    act(lili, world.template, "issue", customer="13700000000")
    coupon = IssuedCoupon.objects.latest("pk")
    assert (coupon.customer.identifier, coupon.customer.mobile) == ("13700000000", "13700000000")
    assert coupon.events.get(kind="issued").actor == "staff:lili"


def test_issue_finds_a_customer_by_mobile(lili: Client, world: World) -> None:
    known = CustomerFactory(merchant=world.own, identifier="member-1", mobile="13700000001")
    act(lili, world.template, "issue", customer="13700000001")
    assert IssuedCoupon.objects.latest("pk").customer == known


def test_issue_asks_back_when_a_number_is_several_customers(lili: Client, world: World) -> None:
    for identifier in ("a", "b"):
        CustomerFactory(merchant=world.own, identifier=identifier, mobile="13700000002")
    form = {"_form_submitted": "1", "customer": "13700000002"}
    response = lili.post(action_of(world.template, "issue"), form)
    assert b"Several customers have this number" in response.content


def test_a_refused_issue_says_so_in_the_form_and_makes_no_coupon(lili: Client, world: World) -> None:
    CouponTemplate.objects.filter(pk=world.template.pk).update(per_person_limit=1)
    before = IssuedCoupon.objects.count()
    form = {"_form_submitted": "1", "customer": world.coupon.customer.identifier}
    response = lili.post(action_of(world.template, "issue"), form)
    assert response.status_code == 200
    assert b"as many of these coupons as one person may get" in response.content
    assert IssuedCoupon.objects.count() == before


def test_a_refused_issue_leaves_no_new_customer(lili: Client, world: World) -> None:
    act(lili, world.template, "pause")
    lili.post(action_of(world.template, "issue"), {"_form_submitted": "1", "customer": "13700000009"})
    assert not Customer.objects.filter(identifier="13700000009").exists()


@pytest.mark.parametrize(
    ("state", "badge"), [("done", "queued"), ("dead", "failed"), ("waiting", "waiting"), ("queued", "queued")]
)
def test_the_list_says_how_far_each_template_is_at_dfire(lili: Client, world: World, state: str, badge: str) -> None:
    row = OutboxRow.objects.get(template=world.template, kind="save_promotion")
    row.state = state
    row.save()
    expected = "not told" if state == "done" else badge
    page = lili.get(list_of(CouponTemplate))
    shown = {template.pk: str(template.sync.label) for template in page.context["cl"].result_list}
    assert shown[world.template.pk] == expected
