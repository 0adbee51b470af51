"""Who decides, once, and only what still is as it was asked for; the database sees to it by itself."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.utils import timezone

from coupons import batches, templates
from coupons.approvals import asking, deciding, lapsing
from coupons.choices import ApprovalState, BatchState
from coupons.errors import Refused
from coupons.models import Approval, Batch, CouponTemplate
from tests.approvals.helpers import approver, asker, checked, member, stored
from tests.factories import issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.APPROVE_COUPONS, settings.APPROVE_YUAN = 3, 100


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
