"""A batch gives each customer one coupon, whatever stops it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons import batches, templates
from coupons.batches import working
from coupons.batches.problems import BROKEN, RowProblem
from coupons.choices import BatchState, Delivery, EventKind
from coupons.errors import Reason, Refused
from coupons.models import Batch, CouponEvent, CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind
from merchants import customers
from tests.batches.helpers import finished, holders, people, ran, ready
from tests.factories import CustomerFactory, issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "SLICE", 3)


def test_everyone_gets_one_and_the_counters_agree() -> None:
    template = published(stock=10)
    batch = ran(template, people(7))
    assert (batch.state, batch.done, batch.refused, batch.total) == (BatchState.DONE, 7, 0, 7)
    assert holders(batch) == people(7)
    template.refresh_from_db()
    assert (template.issued_count, template.committed_fen) == (7, 7000)
    assert CouponEvent.objects.filter(kind=EventKind.ISSUED, coupon__batch=batch).count() == 7
    assert OutboxRow.objects.filter(kind=RowKind.DELIVER, coupon__batch=batch).count() == 7
    assert set(IssuedCoupon.objects.values_list("delivery", flat=True)) == {Delivery.WAITING}  # nobody is bound


def test_bound_customers_coupons_are_queued() -> None:
    template = published()
    bound = CustomerFactory(merchant=template.merchant)
    batch = ran(template, [bound.identifier])
    assert batch.coupons.get().delivery == Delivery.QUEUED


def test_one_signal_is_sent_for_a_slice(django_assert_max_num_queries: Any) -> None:
    template = published(per_person_limit=1)
    batch = ready(template, people(3))
    batches.start(batch)
    with django_assert_max_num_queries(45):  # not so many for each of them
        assert working._work(batch.pk)
    assert holders(batch) == people(3)


def test_a_paused_template_holds_the_batch_and_nobody_is_passed_over() -> None:
    template = published()
    batch = ready(template, people(5))
    batches.start(batch)
    working._work(batch.pk)
    templates.pause(template)
    batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.problem, batch.done) == (BatchState.PAUSED, Reason.TEMPLATE_NOT_PUBLISHED, 3)
    templates.publish(template)
    batches.resume(batch)
    batches.work_all()
    assert holders(batch) == people(5)


def test_the_stock_stops_it_in_the_middle_of_a_slice_and_a_larger_one_lets_it_go_on() -> None:
    template = published(stock=4)
    batch = ran(template, people(6))
    assert (batch.state, batch.problem, batch.done) == (BatchState.PAUSED, Reason.OUT_OF_STOCK, 4)
    CouponTemplate.objects.filter(pk=template.pk).update(stock=6)
    batches.resume(batch)
    batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.refused, holders(batch)) == (BatchState.DONE, 6, 0, people(6))


def test_the_budget_stops_it() -> None:
    batch = ran(published(budget_fen=2500), people(4))
    assert (batch.state, batch.problem, batch.done) == (BatchState.PAUSED, Reason.OUT_OF_BUDGET, 2)


def test_who_has_reached_the_limit_meanwhile_is_left_out_with_the_reason() -> None:
    template = published(per_person_limit=1)
    late = CustomerFactory(merchant=template.merchant, identifier="member-1")
    batch = ready(template, people(4))
    issued(template, late)
    finished(batch)
    assert (batch.done, batch.refused) == (3, 1)
    row = batch.rows.exclude(problem="").get()
    assert (row.text, row.problem) == ("member-1", Reason.PERSON_LIMIT)


def test_two_rows_that_become_one_customer_after_the_check_get_one() -> None:
    template = published()
    batch = ready(template, ["member-1", "oX"])
    customers.bind(CustomerFactory(merchant=template.merchant, identifier="member-1", openid=""), openid="oX")
    finished(batch)
    assert (batch.done, batch.refused) == (1, 1)
    assert batch.rows.exclude(problem="").get().problem == RowProblem.TWICE


def test_a_customer_erased_between_check_and_issue_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    template = published()
    gone = CustomerFactory(merchant=template.merchant, identifier="member-0")
    batch = ready(template, people(2))
    found = customers.find_named

    def erased_meanwhile(*args: Any) -> Any:
        named = found(*args)
        from merchants import erasing

        erasing.ask(gone, reason="", asked_by="staff:x")
        return named

    monkeypatch.setattr(customers, "find_named", erased_meanwhile)
    finished(batch)
    assert batch.rows.exclude(problem="").get().problem == Reason.CUSTOMER_ERASED
    assert (batch.done, batch.refused) == (1, 1)


def test_an_error_pauses_the_batch_and_undoes_its_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    template = published()
    batch = ready(template, people(5))
    batches.start(batch)
    working._work(batch.pk)

    def breaks(*args: Any, **kwargs: Any) -> None:
        raise ValueError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("coupons.issuing.many.CouponEvent", breaks)  # the last thing a slice does
        batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.problem, batch.done) == (BatchState.PAUSED, BROKEN, 3)
    assert IssuedCoupon.objects.filter(batch=batch).count() == 3
    batches.resume(batch)
    batches.work_all()
    assert holders(batch) == people(5)


def test_an_error_while_checking_is_gone_on_with_by_checking(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batches.begin_issue(published(), "a\nb")
    with monkeypatch.context() as patch:
        patch.setattr(customers, "find_named", None)
        batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.problem) == (BatchState.PAUSED, BROKEN)
    batches.resume(batch)
    batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.total) == (BatchState.READY, 2)


def test_cancelled_it_ends_where_it_is() -> None:
    batch = ready(published(), people(5))
    batches.start(batch)
    working._work(batch.pk)
    batches.cancel(batch)
    batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.done, IssuedCoupon.objects.count()) == (BatchState.CANCELLED, 3, 3)
    assert batch.finished_at


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        (BatchState.CHECKING, [batches.start, batches.pause, batches.resume]),
        (BatchState.READY, [batches.pause, batches.resume]),
        (BatchState.RUNNING, [batches.start, batches.resume]),
        (BatchState.PAUSED, [batches.start, batches.pause]),
        (BatchState.DONE, [batches.start, batches.pause, batches.resume, batches.cancel]),
        (BatchState.CANCELLED, [batches.start, batches.pause, batches.resume, batches.cancel]),
    ],
)
def test_what_does_not_fit_its_state_is_refused(state: BatchState, refused: list[Any]) -> None:
    batch = ready(published(), people(1))
    Batch.objects.filter(pk=batch.pk).update(state=state)
    for step in refused:
        with pytest.raises(Refused, match=Reason.BATCH_STATE):
            step(batch)
    batch.refresh_from_db()
    assert batch.state == state


def test_a_row_that_was_forgotten_with_its_customer_is_left_out_and_the_rest_goes_on() -> None:
    batch = ready(published(), people(3))
    batch.rows.filter(number=2).update(text="")
    finished(batch)
    assert (batch.state, batch.done, batch.refused) == (BatchState.DONE, 2, 1)
    assert batch.rows.get(number=2).problem == Reason.CUSTOMER_ERASED


def test_a_forgotten_row_is_checked_too() -> None:
    batch = batches.begin_issue(published(), "a\nb")
    batch.rows.filter(number=1).update(text="")
    batches.work_all()
    batch.refresh_from_db()
    assert batch.state == BatchState.READY


def test_a_batch_that_waits_too_long_for_a_word_is_cancelled() -> None:
    old, fresh = ready(published(), people(1)), ready(published(), people(1))
    Batch.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    assert batches.cancel_forgotten(timezone.now() - timedelta(days=90)) == 1
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.state, fresh.state) == (BatchState.CANCELLED, BatchState.READY)
