"""Two who decide at once, and those who change things meanwhile: an act happens once, as it was read, or not at all."""

from collections.abc import Callable
from typing import Any

import pytest

from coupons import batches, templates
from coupons.approvals import asking, deciding
from coupons.approvals.limits import NeedsApproval
from coupons.choices import ApprovalState, BatchKind, BatchState, TemplateStatus
from coupons.errors import Refused
from coupons.models import Approval, Batch, CouponTemplate, IssuedCoupon
from tests.approvals.helpers import approver, asker, checked
from tests.coupons.test_races import at_once as side_by_side
from tests.factories import CouponTemplateFactory, issued, published

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.APPROVE_COUPONS, settings.APPROVE_YUAN = 3, 100


def at_once(*jobs: Callable[[], Any]) -> list[str]:
    """What each job was refused with, "" where it was not."""
    return [_word(result) for result in side_by_side(*jobs)]


def _word(result: object) -> str:
    if isinstance(result, Refused):
        return str(result.reason.value)
    return repr(result) if isinstance(result, Exception) else ""


def test_two_approvers_at_once_do_it_once() -> None:
    template = published(amount_fen=100)
    who, one, two = asker(template.merchant), approver(template.merchant, "one"), approver(template.merchant, "two")
    for _ in range(4):
        issued(template)
    request = asking.ask_to_recall(template, by=who, reason="x")
    said = at_once(
        lambda: deciding.approve(Approval.objects.get(pk=request.pk), by=one),
        lambda: deciding.approve(Approval.objects.get(pk=request.pk), by=two),
    )
    assert sorted(said) == ["", "approval_over"]
    assert Batch.objects.filter(kind=BatchKind.RECALL).count() == 1
    request.refresh_from_db()
    assert request.decided_by in (one, two)


@pytest.mark.parametrize("other", ["withdraw", "refuse", "cancel"])
def test_a_yes_against_a_no_is_one_of_both(other: str) -> None:
    template = published(amount_fen=100)
    who, one, two = asker(template.merchant), approver(template.merchant, "one"), approver(template.merchant, "two")
    batch = checked(template, 4)
    request = asking.ask_to_issue(batch, by=who, reason="x")
    no = {
        "withdraw": lambda: asking.withdraw(Approval.objects.get(pk=request.pk), by=who),
        "refuse": lambda: deciding.refuse(Approval.objects.get(pk=request.pk), by=two, note="n"),
        "cancel": lambda: batches.cancel(Batch.objects.get(pk=batch.pk)),
    }[other]
    said = at_once(lambda: deciding.approve(Approval.objects.get(pk=request.pk), by=one), no)
    batch.refresh_from_db()
    request.refresh_from_db()
    if request.state == ApprovalState.APPROVED:
        assert said[0] == ""
        assert batch.state == (BatchState.CANCELLED if other == "cancel" else BatchState.RUNNING)
        assert said[1] == ("" if other == "cancel" else "approval_over")
    else:
        assert said[0] == "approval_over"
        assert batch.state != BatchState.RUNNING


@pytest.mark.parametrize("turn", range(3))
def test_a_yes_against_an_edit_never_starts_what_nobody_read(turn: int) -> None:
    template = published(amount_fen=100)
    who, one = asker(template.merchant), approver(template.merchant)
    batch = checked(template, 4)
    request = asking.ask_to_issue(batch, by=who, reason="x")

    def edit() -> None:
        edited = CouponTemplate.objects.get(pk=template.pk)
        edited.amount_fen = 40_000
        templates.save_edited(edited, by=who)

    said = at_once(lambda: deciding.approve(Approval.objects.get(pk=request.pk), by=one), edit)
    assert said[1] == ""
    batches.work_all()
    batch.refresh_from_db()
    if said[0] == "":  # it was started before: the dearer coupons stop it, and none of them has gone out
        assert (batch.state, batch.problem) == (BatchState.PAUSED, "worth_rose")
    else:
        assert said[0] in ("approval_lapsed", "approval_over")
        assert batch.state == BatchState.READY
    assert not IssuedCoupon.objects.exists()


def test_a_yes_against_an_edit_of_a_draft_publishes_what_was_read() -> None:
    draft = CouponTemplateFactory(amount_fen=60_000)
    who, one = asker(draft.merchant), approver(draft.merchant)
    request = asking.ask_to_publish(draft, by=who, reason="x")

    def edit() -> None:
        edited = CouponTemplate.objects.get(pk=draft.pk)
        edited.amount_fen = 9_000_000
        templates.save_edited(edited, by=who)

    said = at_once(lambda: deciding.approve(Approval.objects.get(pk=request.pk), by=one), edit)
    draft.refresh_from_db()
    if draft.status == TemplateStatus.PUBLISHED:
        assert draft.versions.get().terms.amount_fen == 60_000
        assert said[1] == "needs_approval"
    else:
        assert (said[0] in ("approval_lapsed", "approval_over"), draft.amount_fen) == (True, 9_000_000)


@pytest.mark.parametrize("copied", [False, True])
def test_two_small_batches_started_at_once_by_one_person_pass_once(*, copied: bool) -> None:
    template = published(amount_fen=100)
    who = asker(template.merchant)
    other = published(amount_fen=100, merchant=template.merchant) if copied else template
    pair = [checked(template, 2, "a"), checked(other, 2, "b")]
    said = at_once(*(lambda one=one: batches.start(one, by=who) for one in pair))  # type: ignore[misc]
    assert sorted(said) == ["", "needs_approval"]
    assert Batch.objects.filter(state=BatchState.RUNNING).count() == 1


def test_asking_twice_at_once_makes_one_request() -> None:
    template = published(amount_fen=100)
    who, batch = asker(template.merchant), checked(template, 4)
    said = at_once(*(lambda: asking.ask_to_issue(batch, by=who, reason="x") for _ in range(2)))
    assert sorted(said) == ["", "asked_already"]
    with pytest.raises(NeedsApproval):
        batches.start(batch, by=who)


def test_a_yes_beside_workers_waits_for_nobody_for_good() -> None:
    template = published(amount_fen=100)
    who, one = asker(template.merchant), approver(template.merchant)
    small = checked(template, 3, "s")
    batches.start(small, by=who)
    batch = checked(template, 4)
    request = asking.ask_to_issue(batch, by=who, reason="x")
    said = at_once(batches.work_all, lambda: deciding.approve(request, by=one), batches.work_all)
    assert said == ["", "", ""]
    batches.work_all()
    assert IssuedCoupon.objects.count() == 7
