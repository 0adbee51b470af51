"""Four eyes in the services: what waits, who decides, and that a yes does what was asked or nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.utils import timezone

from coupons import batches, issuing, templates
from coupons.approvals import asking, deciding, lapsing, limits
from coupons.approvals.limits import NeedsApproval
from coupons.choices import ApprovalState, BatchState, CouponStatus, Kind, TemplateStatus
from coupons.errors import Reason, Refused
from coupons.models import Approval, Batch, CouponTemplate, DoneAlone
from tests.approvals.helpers import approver, asker, checked, member
from tests.factories import STAFF, CouponTemplateFactory, CustomerFactory, issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.APPROVE_COUPONS, settings.APPROVE_YUAN = 3, 100


def stored(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_as_many_as_the_limit_go_alone_and_one_more_does_not() -> None:
    template = published(amount_fen=100)
    who = asker(template.merchant)
    small = checked(template, 3)
    batches.start(small, by=who)
    other = checked(template, 4, "x")
    with pytest.raises(NeedsApproval, match="needs_approval"):
        batches.start(other, by=asker(template.merchant, "second"))
    assert stored(other).state == BatchState.READY


def test_what_coupons_are_worth_counts_as_well_and_a_discount_by_its_number_alone(settings: Any) -> None:
    settings.APPROVE_COUPONS = 0
    dear = published(amount_fen=5100)
    with pytest.raises(NeedsApproval) as refused:
        batches.start(checked(dear, 2), by=asker(dear.merchant))
    assert refused.value.need.limit == limits.Limit.YUAN
    percent = published(kind=Kind.DISCOUNT, amount_fen=None, percent_paid=50)
    batches.start(checked(percent, 30), by=asker(percent.merchant, "b"))
    estimated = published(kind=Kind.DISCOUNT, amount_fen=None, percent_paid=50, cost_each_fen=5100)
    with pytest.raises(NeedsApproval):
        batches.start(checked(estimated, 2), by=asker(estimated.merchant, "c"))


def test_zero_asks_nobody(settings: Any) -> None:
    settings.APPROVE_COUPONS = settings.APPROVE_YUAN = settings.APPROVE_TEMPLATE_YUAN = 0
    settings.APPROVE_PERCENT_PAID = 0
    template = CouponTemplateFactory(amount_fen=10_000_000)
    templates.publish(template, by=asker(template.merchant))
    batches.start(checked(stored(template), 20), by=User.objects.get())
    percent = CouponTemplateFactory(kind=Kind.DISCOUNT, amount_fen=None, percent_paid=1)
    templates.publish(percent, by=User.objects.get())


def test_splitting_is_no_way_round(settings: Any) -> None:
    template = published(amount_fen=100)
    who = asker(template.merchant)
    batches.start(checked(template, 2), by=who)
    second = checked(template, 2, "x")
    with pytest.raises(NeedsApproval) as refused:
        batches.start(second, by=who)
    assert refused.value.need.earlier == 2
    batches.start(checked(published(amount_fen=100, merchant=template.merchant), 2), by=who)  # another template
    DoneAlone.objects.update(at=timezone.now() - timedelta(hours=25))
    batches.start(second, by=who)
    assert limits.forget_old() == 2
    assert DoneAlone.objects.count() == 1


def test_a_yes_starts_the_batch_and_does_not_count_as_done_alone() -> None:
    template = published(amount_fen=100)
    who, second = asker(template.merchant), approver(template.merchant)
    batch = checked(template, 4)
    request = asking.ask_to_issue(batch, by=who, reason="中秋")
    assert (request.coupons, request.value_fen, request.terms_version) == (4, 400, 1)
    deciding.approve(request, by=second, note="好")
    batches.work_all()
    done = stored(batch)
    assert (done.state, done.done) == (BatchState.DONE, 4)
    assert (request.state, request.decided_by, request.note) == (ApprovalState.APPROVED, second, "好")
    assert not DoneAlone.objects.exists()
    with pytest.raises(Refused, match="approval_over"):
        deciding.approve(request, by=second)


@pytest.mark.parametrize("how", ["right", "superuser", "again"])
def test_nobody_decides_their_own(how: str) -> None:
    template = published(amount_fen=100)
    who = asker(template.merchant)
    request = asking.ask_to_issue(checked(template, 4), by=who, reason="x")
    if how == "superuser":
        who.is_superuser = True
        who.save()
    me = User.objects.get(pk=who.pk) if how == "again" else who  # another session is the same person
    for decide in (deciding.approve, deciding.refuse):
        with pytest.raises(Refused, match="own_request"):
            decide(request, by=me, note="x")
    with pytest.raises(DatabaseError, match="approval_by_somebody_else"), transaction.atomic():
        Approval.objects.update(state=ApprovalState.APPROVED, decided_by=who, decided_at=timezone.now())
    assert stored(request).state == ApprovalState.WAITING


def test_a_superuser_cannot_approve_their_own() -> None:
    template = published(amount_fen=100)
    root = User.objects.create_superuser("root")
    request = asking.ask_to_issue(checked(template, 4), by=root, reason="x")
    with pytest.raises(Refused, match="own_request"):
        deciding.approve(request, by=root)


@pytest.mark.parametrize("who", ["no right", "another merchant", "not staff", "inactive"])
def test_deciding_needs_the_right_at_the_merchant(who: str) -> None:
    template = published(amount_fen=100)
    request = asking.ask_to_issue(checked(template, 4), by=asker(template.merchant), reason="x")
    if who == "no right":
        second = member("b", "coupons.issue_batch", sees=template.merchant)
    else:
        second = approver(published().merchant if who == "another merchant" else template.merchant)
        second.is_staff, second.is_active = who != "not staff", who != "inactive"
        second.save()
    for decide in (deciding.approve, deciding.refuse):
        with pytest.raises(Refused, match="not_approver"):
            decide(request, by=second, note="x")
    assert Batch.objects.get().state == BatchState.READY


@pytest.mark.parametrize(
    "change",
    [
        {"rewrite": {"coupons": 1}},
        {"rewrite": {"reason": "y"}},
        {"rewrite": {"asked": {}}},
        {"rewrite": {"state": "approved"}},
        {"rewrite": {"state": "refused", "decided_at": timezone.now()}},
        {"rewrite": {"state": "lapsed", "decided_at": timezone.now()}},
    ],
)
def test_the_database_keeps_what_was_asked(change: dict[str, Any]) -> None:
    template = published(amount_fen=100)
    asking.ask_to_issue(checked(template, 4), by=asker(template.merchant), reason="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        Approval.objects.update(**change["rewrite"])
    with pytest.raises(DatabaseError, match="kept"), transaction.atomic():
        Approval.objects.all().delete()


def test_the_database_decides_once_and_lets_no_request_begin_decided() -> None:
    template = published(amount_fen=100)
    who, second = asker(template.merchant), approver(template.merchant)
    request = asking.ask_to_issue(checked(template, 4), by=who, reason="x")
    with pytest.raises(DatabaseError, match="rewritten"), transaction.atomic():
        Approval.objects.update(requested_by=second)
    deciding.refuse(request, by=second, note="zu viel")
    with pytest.raises(DatabaseError, match="once"), transaction.atomic():
        Approval.objects.update(state="waiting", decided_by=None, decided_at=None, note="")
    copy = stored(request)
    copy.pk = None
    with pytest.raises(DatabaseError, match="begins waiting"), transaction.atomic():
        copy.save(force_insert=True)


def test_one_request_about_one_thing() -> None:
    template = published(amount_fen=100)
    who, batch = asker(template.merchant), checked(template, 4)
    request = asking.ask_to_issue(batch, by=who, reason="x")
    with pytest.raises(Refused, match="asked_already"):
        asking.ask_to_issue(batch, by=who, reason="y")
    asking.withdraw(request, by=who)
    assert asking.ask_to_issue(batch, by=who, reason="y").state == ApprovalState.WAITING
    with pytest.raises(Refused, match="approval_over"):
        asking.withdraw(request, by=who)
    with pytest.raises(Refused, match="not_requester"):
        asking.withdraw(Approval.objects.get(state="waiting"), by=approver(template.merchant))


def test_a_request_lapses_when_it_is_old(settings: Any) -> None:
    template = published(amount_fen=100)
    who, second, batch = asker(template.merchant), approver(template.merchant), checked(template, 4)
    settings.APPROVE_DAYS = -1
    request = asking.ask_to_issue(batch, by=who, reason="x")
    settings.APPROVE_DAYS = 7
    assert not lapsing.waiting().exists()
    with pytest.raises(Refused, match="approval_lapsed"):
        deciding.approve(request, by=second)
    assert (request.state, request.lapse) == (ApprovalState.LAPSED, "too_old")
    settings.APPROVE_DAYS = -1
    again = asking.ask_to_issue(batch, by=who, reason="x")
    assert lapsing.lapse_due() == 1
    assert stored(again).lapse == "too_old"
    asking.ask_to_issue(batch, by=who, reason="x")
    settings.APPROVE_DAYS = 7
    assert asking.ask_to_issue(batch, by=who, reason="makes room").state == ApprovalState.WAITING
    assert stored(batch).state == BatchState.READY


@pytest.mark.parametrize("what", ["terms", "rows", "cancelled", "requester", "ended", "scope"])
def test_what_has_changed_since_is_not_started(what: str) -> None:
    template = published(amount_fen=100)
    who, second, batch = asker(template.merchant), approver(template.merchant), checked(template, 4)
    request = asking.ask_to_issue(batch, by=who, reason="x")
    if what == "terms":
        CouponTemplate.objects.filter(pk=template.pk).update(amount_fen=200)  # behind the services' back
    elif what == "rows":
        batch.rows.filter(number=1).delete()
    elif what == "cancelled":
        batches.cancel(batch)
        assert stored(request).lapse == "nothing_left"
    elif what == "ended":
        templates.end(template)
        assert stored(request).lapse == "nothing_left"
    elif what == "requester":
        who.user_permissions.clear()
    else:
        who.merchant_scope.merchants.clear()  # type: ignore[attr-defined]
    with pytest.raises(Refused, match=r"approval_(lapsed|over)"):
        deciding.approve(request, by=second)
    assert stored(request).state == ApprovalState.LAPSED
    assert stored(batch).state in (BatchState.READY, BatchState.CANCELLED)


def test_an_edit_lets_go_of_what_waits_about_the_terms() -> None:
    template = published(amount_fen=100)
    request = asking.ask_to_issue(checked(template, 4), by=asker(template.merchant), reason="x")
    template.stock = 50
    templates.save_edited(template)
    assert stored(request).state == ApprovalState.WAITING  # the stock is none of its terms
    template.amount_fen = 200
    templates.save_edited(template)
    assert (stored(request).state, stored(request).lapse) == (ApprovalState.LAPSED, "changed")


def test_terms_that_rise_stop_a_batch_that_was_small(settings: Any) -> None:
    settings.APPROVE_COUPONS = 0
    template = published(amount_fen=100)
    who = asker(template.merchant)
    batch = checked(template, 50)
    batches.start(batch, by=who)
    template.amount_fen = 49_900  # below what publishing asks a second person for
    templates.save_edited(template, by=who)
    batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.problem, batch.done) == (BatchState.PAUSED, Reason.WORTH_ROSE, 0)
    with pytest.raises(NeedsApproval):
        batches.resume(batch, by=who)
    request = asking.ask_to_issue(batch, by=who, reason="x")
    deciding.approve(request, by=approver(template.merchant))
    batches.work_all()
    assert stored(batch).done == 50


def test_a_recall_takes_back_what_was_out_when_it_was_asked_for() -> None:
    template = published(amount_fen=100)
    who, second = asker(template.merchant), approver(template.merchant)
    out = [issued(template) for _ in range(4)]
    with pytest.raises(NeedsApproval):
        batches.begin_recall(template, reason="x", by=who)
    request = asking.ask_to_recall(template, by=who, reason="写错了")
    assert (request.coupons, request.value_fen) == (4, 400)
    later = issued(template)
    deciding.approve(request, by=second)
    recall = Batch.objects.get()
    assert (recall.total, recall.created_by, recall.reason) == (4, who, "写错了")
    batches.work_all()
    assert {stored(one).status for one in out} == {CouponStatus.REVOKED}
    assert stored(later).status == CouponStatus.ISSUED


def test_a_recall_of_nothing_lapses() -> None:
    template = published(amount_fen=100)
    who, second = asker(template.merchant), approver(template.merchant)
    for _ in range(4):
        issued(template)
    request = asking.ask_to_recall(template, by=who, reason="x")
    template.coupons.update(status=CouponStatus.EXPIRED)
    with pytest.raises(Refused, match="approval_lapsed"):
        deciding.approve(request, by=second)
    assert request.lapse == "nothing_left"
    with pytest.raises(Refused, match="nothing_out"):
        asking.ask_to_recall(template, by=who, reason="x")


def test_chosen_coupons_are_revoked_by_a_yes() -> None:
    template = published(amount_fen=100)
    who, second = asker(template.merchant), approver(template.merchant)
    chosen, other = [issued(template) for _ in range(4)], issued(published())
    request = asking.ask_to_revoke(template, [one.pk for one in (*chosen, other)], by=who, reason="x")
    deciding.approve(request, by=second)
    assert [stored(one).status for one in chosen] == [CouponStatus.REVOKED] * 4
    assert stored(other).status == CouponStatus.ISSUED
    assert chosen[0].events.last().actor == "staff:asker"  # type: ignore[union-attr]


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


def test_a_rule_that_refuses_the_act_leaves_the_request_waiting() -> None:
    template = published(amount_fen=100)
    who, second = asker(template.merchant), approver(template.merchant)
    for _ in range(4):
        issued(template)
    request = asking.ask_to_recall(template, by=who, reason="x")
    running = checked(template, 2)
    batches.start(running, by=who)
    with pytest.raises(Refused, match="batch_runs"):
        deciding.approve(request, by=second)
    assert stored(request).state == ApprovalState.WAITING


def test_a_deleted_template_keeps_its_requests() -> None:
    template = dear()
    request = asking.ask_to_publish(template, by=asker(template.merchant), reason="x")
    templates.delete(template)
    kept = stored(request)
    assert (kept.template, kept.subject, kept.state, kept.lapse) == (None, "满50减10", "lapsed", "nothing_left")


def test_single_acts_count_too(settings: Any) -> None:
    template = published(amount_fen=100)
    who = asker(template.merchant)
    for _ in range(3):
        coupon = issuing.issue(
            template=template, customer=CustomerFactory(merchant=template.merchant), through=STAFF
        )  # fmt: skip
        limits.one(template.pk, value_fen=coupon.cost_fen, gives=True, by=who)
    with pytest.raises(NeedsApproval):
        limits.one(template.pk, value_fen=100, gives=True, by=who)
    limits.one(template.pk, value_fen=100, gives=False, by=who)  # taking back is counted apart
