"""Four eyes as staff see them: every door of the admin asks, the page decides, and nobody reaches another's request."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons import batches, lifecycle
from coupons.approvals import asking
from coupons.choices import ApprovalState, BatchState, CouponStatus
from coupons.models import Approval, Batch, CouponTemplate, DoneAlone, IssuedCoupon
from integrations.tasks import expire_coupons
from merchants.models import Customer
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import act, act_on_selected, action_of, list_of, page_of, said
from tests.approvals.helpers import ASKED, approver, badge, buttons, checked, member, stored
from tests.factories import issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.APPROVE_COUPONS, settings.APPROVE_YUAN, settings.APPROVE_TEMPLATE_YUAN = 3, 100, 500


def test_a_large_batch_is_asked_for_approved_and_worked(lili: Client, second: Client, world: World) -> None:
    approver(world.other, "elsewhere")
    batch = checked(world.template, 4, "1391111000")
    dialog = lili.get(action_of(batch, "start")).content.decode()
    for words in (
        "Ask a second person?",
        "More than 3 coupons of one merchant within a day.",
        "Ask for approval",
        "4 coupons, ¥40",
    ):
        assert words in dialog
    assert "Can approve it: approver." in dialog
    assert "elsewhere" not in dialog
    assert "Issue these coupons?" not in dialog
    assert act(lili, batch, "start", reason="中秋") == ASKED
    request = Approval.objects.get()
    page = lili.get(page_of(batch)).content.decode()
    assert "Waiting for approval since" in page
    assert "lili" in page
    assert not buttons(lili, batch) & {"Start"}
    assert buttons(lili, request) == {"Withdraw"}
    assert (badge(lili), badge(second)) == ("", "1")
    home = second.get("/admin/").content.decode()
    assert "Waiting for your approval: 1" in home
    assert "Waiting for your approval" not in lili.get("/admin/").content.decode()
    assert list(second.get(f"{list_of(Approval)}?state__exact=waiting").context["cl"].result_list) == [request]
    assert buttons(second, request) == {"Approve", "Refuse"}
    shown = second.get(page_of(request)).content.decode()
    for words in ("中秋", "¥40", "139****0000", "¥10 off from ¥50", "lili"):
        assert words in shown, words
    assert "13911110000" not in shown
    assert act(second, request, "approve", note="好") == ["Approved, and done."]
    batches.work_all()
    assert stored(batch).done == 4
    assert badge(second) == ""
    page = lili.get(page_of(batch)).content.decode()
    assert "decided by approver" in page
    assert "好" in lili.get(page_of(request)).content.decode()
    assert "Approved: " in lili.get(page_of(batch).replace("/change/", "/history/")).content.decode()


def test_posting_past_the_dialog_starts_nothing(lili: Client, world: World) -> None:
    batch = checked(world.template, 4)
    response = lili.post(action_of(batch, "start"), {"_form_submitted": "1"})
    assert response.status_code == 200
    assert "This field is required." in response.content.decode()
    assert stored(batch).state == BatchState.READY
    act(lili, batch, "start", reason="x")
    lili.post(action_of(batch, "start"), {"_form_submitted": "1", "reason": "y"})
    assert Approval.objects.count() == 1
    assert stored(batch).state == BatchState.READY


def test_below_the_limit_nobody_is_asked(lili: Client, world: World) -> None:
    batch = checked(world.template, 3)
    assert "second person" not in lili.get(action_of(batch, "start")).content.decode()
    assert act(lili, batch, "start") == ["Started."]
    assert DoneAlone.objects.get().coupons == 3


def test_whoever_asked_cannot_decide_with_every_right_there_is(root: Client, world: World) -> None:
    batch = checked(world.template, 4)
    assert "Nobody can approve it yet" in root.get(action_of(batch, "start")).content.decode()
    act(root, batch, "start", reason="x")
    request = Approval.objects.get()
    assert buttons(root, request) == {"Withdraw"}
    assert act(root, request, "approve") == ["Nobody approves what they have asked for themselves."]
    assert act(root, request, "refuse", note="x") == ["Nobody approves what they have asked for themselves."]
    assert (stored(request).state, stored(batch).state) == (ApprovalState.WAITING, BatchState.READY)
    assert act(root, request, "withdraw") == ["Withdrawn."]
    assert "Start" in buttons(root, batch)


def test_refusing_needs_a_note(lili: Client, second: Client, world: World) -> None:
    act(lili, checked(world.template, 4), "start", reason="x")
    request = Approval.objects.get()
    response = second.post(action_of(request, "refuse"), {"_form_submitted": "1", "note": " "})
    assert "This field is required." in response.content.decode()
    assert act(second, request, "refuse", note="太多了") == ["Refused."]
    assert (stored(request).state, stored(request).note) == (ApprovalState.REFUSED, "太多了")
    assert buttons(second, request) == set()


def test_deciding_needs_the_right_and_withdrawing_ones_own(lili: Client, browser: Any, world: World) -> None:
    act(lili, checked(world.template, 4), "start", reason="x")
    request = Approval.objects.get()
    client = browser(member("looker", "coupons.view_approval", sees=world.own))
    assert client.get(page_of(request)).status_code == 200
    for path in ("approve", "refuse"):
        assert client.post(action_of(request, path), {"_form_submitted": "1", "note": "x"}).status_code == 403
    client.post(action_of(request, "withdraw"), {"_form_submitted": "1"})
    assert stored(request).state == ApprovalState.WAITING
    stranger = browser(approver(world.other, "stranger"))
    for path in ("approve", "refuse", "withdraw"):
        assert stranger.post(action_of(request, path), {"_form_submitted": "1", "note": "x"}).status_code == 404
    assert badge(stranger) == ""


def test_a_recall_of_much_waits(lili: Client, second: Client, world: World) -> None:
    for _ in range(3):
        issued(world.template)
    dialog = lili.get(action_of(world.template, "recall")).content.decode()
    assert "More than 3 coupons of one merchant within a day." in dialog
    assert "5 coupons are out" in dialog
    assert act(lili, world.template, "recall", reason="写错了") == ASKED
    assert not Batch.objects.exists()
    assert "Recall all" not in buttons(lili, world.template)
    assert "waiting for approval" in lili.get(page_of(world.template)).content.decode()
    with CaptureQueriesContext(connection) as asked:
        assert "of them out now" in second.get(page_of(Approval.objects.get())).content.decode()
    assert sum('SUM("coupons_issuedcoupon"."cost_fen")' in one["sql"] for one in asked) == 1
    act(second, Approval.objects.get(), "approve")
    recall = Batch.objects.get()
    assert (recall.total, recall.created_by.get_username()) == (5, "lili")
    assert "decided by approver" in lili.get(page_of(recall)).content.decode()


def test_a_recall_of_a_batch_waits(lili: Client, world: World, settings: Any) -> None:
    settings.APPROVE_COUPONS = 0
    batch = checked(world.template, 4)
    batches.start(batch)
    batches.work_all()
    settings.APPROVE_COUPONS = 3
    assert act(lili, batch, "recall", reason="x") == ASKED
    assert Approval.objects.get().batch == batch
    assert "Recall" not in buttons(lili, batch)


def test_chosen_coupons_wait_template_by_template(lili: Client, second: Client, world: World) -> None:
    many = [issued(world.template) for _ in range(4)]
    other = issued(published(merchant=world.own, title="另一张"))
    asked = act_on_selected(lili, [*many, other], "revoke_selected")
    assert (
        "4 of “满50减10” wait for a second person. More than 3 coupons of one merchant within a day."
        in asked.content.decode()
    )
    done = act_on_selected(lili, [*many, other], "revoke_selected", confirmed="yes", reason="x", _form_submitted="1")
    assert said(done) == ["“满50减10”: your request waits for a second person.", "1 coupon revoked."]
    assert stored(other).status == CouponStatus.REVOKED
    assert {stored(one).status for one in many} == {CouponStatus.ISSUED}
    request = Approval.objects.get()
    assert many[0].code in second.get(page_of(request)).content.decode()
    act(second, request, "approve")
    assert {stored(one).status for one in many} == {CouponStatus.REVOKED}


def test_chosen_coupons_of_several_templates_add_up(lili: Client, world: World) -> None:
    first, copy = (published(merchant=world.own, title=title) for title in ("一", "二"))
    chosen = [issued(template) for template in (first, first, copy, copy)]
    done = act_on_selected(lili, chosen, "revoke_selected", confirmed="yes", reason="x", _form_submitted="1")
    assert said(done) == ["“二”: your request waits for a second person.", "2 coupons revoked."]


def test_what_is_revoked_already_is_not_counted(lili: Client, world: World) -> None:
    for _ in range(2):
        done = act_on_selected(
            lili, [world.coupon], "revoke_selected", confirmed="yes", reason="x", _form_submitted="1"
        )
    assert said(done)[1:] == ["1 not done: The coupon has been revoked.", "0 coupons revoked."]
    assert act(lili, world.coupon, "revoke", reason="x") == ["The coupon has been revoked."]
    assert DoneAlone.objects.get().coupons == 1


def test_single_acts_add_up(lili: Client, world: World) -> None:
    for n in range(3):
        assert act(lili, world.template, "issue", customer=f"one-{n}")[0].startswith("Coupon ")
    response = lili.post(action_of(world.template, "issue"), {"_form_submitted": "1", "customer": "one-3"})
    assert "A second person must approve this" in response.content.decode()
    assert not Customer.objects.filter(identifier="one-3").exists()
    assert IssuedCoupon.objects.filter(template=world.template).count() == 5
    for coupon in IssuedCoupon.objects.filter(template=world.template).order_by("pk")[:3]:
        assert act(lili, coupon, "revoke", reason="x") == ["Revoked."]
    last = IssuedCoupon.objects.filter(template=world.template, status=CouponStatus.ISSUED).first()
    assert last is not None
    assert "Now 1 coupon, ¥10." in lili.get(action_of(last, "revoke")).content.decode()
    assert act(lili, last, "revoke", reason="x") == ASKED
    assert stored(last).status == CouponStatus.ISSUED


def test_replacements_count_as_issued(lili: Client, world: World) -> None:
    DoneAlone.objects.create(
        user=User.objects.get(username="lili"), template=world.template, gives=True, coupons=3, value_fen=0
    )
    with transaction.atomic():
        coupon = lifecycle.lock([world.coupon.pk])[0]
        lifecycle.redeem_at_till(coupon, at=timezone.now(), shop=world.own.shops.get())
    day = timezone.localdate()
    response = lili.post(
        action_of(world.coupon, "reissue"), {"_form_submitted": "1", "reason": "x", "valid_until": str(day)}
    )
    assert "A second person must approve this" in response.content.decode()
    assert not hasattr(stored(world.coupon), "replaced_by")


def test_what_has_changed_is_said_and_cannot_be_approved(lili: Client, second: Client, world: World) -> None:
    act(lili, checked(world.template, 4), "start", reason=f"an {MOBILE}")
    request = Approval.objects.get()
    assert MOBILE not in request.reason
    CouponTemplate.objects.filter(pk=world.template.pk).update(amount_fen=2000)
    assert "It cannot be approved any more." in second.get(page_of(request)).content.decode()
    assert buttons(second, request) == {"Refuse"}
    assert act(second, request, "approve")[0].startswith("The request has lapsed")
    assert stored(request).state == ApprovalState.LAPSED


def test_the_sweep_lets_old_requests_go(lili: Client, world: World, settings: Any) -> None:
    settings.APPROVE_DAYS = -1
    asking.ask_to_issue(checked(world.template, 4), by=User.objects.get(username="lili"), reason="x")
    expire_coupons()
    assert Approval.objects.get().state == ApprovalState.LAPSED
