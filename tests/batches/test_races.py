"""Two workers, a killed one, and staff who press a button meanwhile: nobody gets two, nobody none."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from coupons import batches, issuing
from coupons.batches import working
from coupons.choices import BatchState
from coupons.errors import Refused
from coupons.models import Batch, CouponTemplate, IssuedCoupon
from merchants.models import Customer
from tests.factories import STAFF, CustomerFactory, published

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "SLICE", 5)


def at_once(*jobs: Callable[[], Any]) -> None:
    """Run the jobs in threads of their own that begin together, and raise what they raise."""
    barrier, errors = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            job()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors


def running(template: CouponTemplate, count: int, prefix: str = "m") -> Batch:
    batch = batches.begin_issue(template, "\n".join(f"{prefix}{n}" for n in range(count)))
    batches.work_all()
    batches.start(batch)
    return batch


def per_holder(batch: Batch) -> set[int]:
    holders = list(IssuedCoupon.objects.filter(batch=batch).values_list("customer", flat=True))
    return {holders.count(one) for one in holders}


def test_two_workers_give_each_customer_one() -> None:
    batch = running(published(), 60)
    at_once(batches.work_all, batches.work_all, batches.work_all)
    batches.work_all()  # what one let go of while the other looked
    batch.refresh_from_db()
    assert (batch.state, batch.done, IssuedCoupon.objects.count()) == (BatchState.DONE, 60, 60)
    assert per_holder(batch) == {1}


def test_two_batches_of_the_same_new_customers_make_each_once() -> None:
    template = published()
    one, two = running(template, 40), running(template, 40)
    at_once(batches.work_all, batches.work_all)
    batches.work_all()
    assert Customer.objects.count() == 40
    assert per_holder(one) == per_holder(two) == {1}
    assert IssuedCoupon.objects.count() == 80


def test_beside_single_issues_limits_and_stock_hold() -> None:
    template = published(stock=30, per_person_limit=1)
    batch = running(template, 30)

    def singly() -> None:
        for n in range(29, -1, -1):
            found, _made = Customer.objects.get_or_create(merchant=template.merchant, identifier=f"m{n}")
            try:
                issuing.issue(template=template, customer=found, through=STAFF)
            except Refused:
                continue

    at_once(batches.work_all, singly)
    batches.work_all()
    batch.refresh_from_db()
    assert IssuedCoupon.objects.count() == 30
    assert IssuedCoupon.objects.values("customer").distinct().count() == 30
    assert batch.done + batch.refused == 30


def test_pause_takes_effect_between_two_slices_and_resume_goes_on() -> None:
    batch = running(published(), 100)
    at_once(batches.work_all, lambda: batches.pause(batch))
    batch.refresh_from_db()
    done = batch.done
    assert batch.state == BatchState.PAUSED
    assert done == IssuedCoupon.objects.count()
    assert done % 5 == 0
    batches.work_all()
    assert IssuedCoupon.objects.count() == done
    batches.resume(batch)
    batches.work_all()
    assert IssuedCoupon.objects.count() == 100
    assert per_holder(batch) == {1}


def test_a_worker_killed_in_mid_slice_leaves_nothing_of_it() -> None:
    batch = running(published(), 12)
    working._work(batch.pk)
    held, killed = threading.Event(), threading.Event()

    @transaction.atomic
    def dies() -> None:
        try:
            locked = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
            working._issue_slice(locked)
            held.set()
            killed.wait(10)
            transaction.set_rollback(True)  # what PostgreSQL does for a worker that is gone
        finally:
            held.set()

    thread = threading.Thread(target=lambda: (dies(), connection.close()))
    thread.start()
    assert held.wait(10)
    assert batches.work_all() == 0  # another holds it, and nobody waits
    killed.set()
    thread.join(10)
    assert IssuedCoupon.objects.count() == 5
    batches.work_all()
    batch.refresh_from_db()
    assert (batch.state, batch.done, per_holder(batch)) == (BatchState.DONE, 12, {1})


def test_two_recalls_of_one_batch_take_each_coupon_back_once() -> None:
    template = published(stock=100)
    batch = running(template, 40)
    batches.work_all()
    batch.refresh_from_db()
    recalls = [batches.begin_recall(template, batch=batch, reason=f"r{n}") for n in range(2)]
    at_once(batches.work_all, batches.work_all)
    batches.work_all()
    for recall in recalls:
        recall.refresh_from_db()
        assert recall.state == BatchState.DONE
    assert sum(recall.done for recall in recalls) == 40
    template.refresh_from_db()
    assert (template.issued_count, template.committed_fen) == (0, 0)


def test_binding_during_a_batch_leaves_no_delivery_waiting() -> None:
    template = published()
    known = [CustomerFactory(merchant=template.merchant, openid="") for _ in range(20)]
    batch = batches.begin_issue(template, "\n".join(one.identifier for one in known))
    batches.work_all()
    batches.start(batch)

    def bind_all() -> None:
        from merchants import customers

        for one in known:
            customers.bind(one, openid=f"o-{one.pk}")

    at_once(batches.work_all, bind_all)
    batches.work_all()
    assert IssuedCoupon.objects.filter(delivery="queued").count() == 20
