"""Four eyes in numbers: what one may do alone, what adds up, and what a yes does to batches and coupons."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from coupons import batches, issuing, templates
from coupons.approvals import asking, deciding, limits
from coupons.approvals.limits import NeedsApproval
from coupons.choices import ApprovalState, BatchState, CouponStatus, Kind
from coupons.errors import Reason, Refused
from coupons.models import Batch, DoneAlone
from tests.approvals.helpers import approver, asker, checked, stored
from tests.factories import STAFF, CouponTemplateFactory, CustomerFactory, issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.APPROVE_COUPONS, settings.APPROVE_YUAN = 3, 100


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
    copy = checked(published(amount_fen=100, merchant=template.merchant), 2)
    with pytest.raises(NeedsApproval):
        batches.start(copy, by=who)
    batches.start(checked(published(amount_fen=100), 2), by=who)  # another merchant
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


def test_terms_that_widen_stop_a_batch_that_was_approved() -> None:
    template = published(amount_fen=100, min_spend_fen=50_000, per_person_limit=1, stock=4)
    who, second = asker(template.merchant), approver(template.merchant)
    batch = checked(template, 4)
    deciding.approve(asking.ask_to_issue(batch, by=who, reason="x"), by=second)
    template.stock, template.title = 40, "满500减1"  # more of the same, and words
    templates.save_edited(template, by=who)
    assert not limits.rose(stored(batch).summary["worth"], stored(template))
    for wider in ({"min_spend_fen": 0}, {"per_person_limit": None}):
        for name, value in wider.items():
            setattr(template, name, value)
        templates.save_edited(template, by=who)
        batches.work_all()
        batch.refresh_from_db()
        assert (batch.state, batch.problem, batch.done) == (BatchState.PAUSED, Reason.WORTH_ROSE, 0)
        with pytest.raises(NeedsApproval):
            batches.resume(batch, by=who)
        deciding.approve(asking.ask_to_issue(batch, by=who, reason="x"), by=second)
    batches.work_all()
    assert stored(batch).done == 4


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
