"""An erasure is cut off, asked for twice at once, or overtaken by what was on its way: it ends all the same."""

import threading
from typing import Any

import pytest
from django.db import connection

from coupons import erasing as coupons_erasing
from coupons import lifecycle
from coupons.choices import CouponStatus, EventKind
from coupons.models import CouponEvent, IssuedCoupon
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import RowKind
from integrations.outbox import calling, claiming, settling
from integrations.retention import erasing, traces
from merchants.models import Erasure
from tests.factories import CustomerFactory, issued
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through, leases_run_out, row_of
from tests.retention.conftest import NAMES, OPENID, Known
from tests.retention.helpers import erase, held_at, where

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_answer_that_comes_late_leaves_no_trace(known: Known, dfire: Dfire) -> None:
    """A worker that stood still settles its call after the customer has been erased."""
    erasure = erase(known.customer)
    row = row_of(known.pushed, RowKind.WITHDRAW)
    job = claiming.claim(known.account.pk, 1).jobs[0]
    assert job.row_id == row.pk
    outcome = calling.perform(job)
    leases_run_out()
    drain_through()
    assert erasing.advance(erasure)
    settling.settle(job, outcome)
    assert OutboxAttempt.objects.get(pk=job.attempt_id).result == "ok"
    assert not where(OPENID)


@pytest.mark.parametrize(
    "step", ["forget_pushes", "forget_callbacks", "forget_log", "forget_coupon", "forget_coupon twice", "finish"]
)
def test_an_erasure_that_was_killed_half_way_goes_on(known: Known, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    erase(known.customer)
    drain_through()
    name, _space, again = step.partition(" ")
    owner: Any = erasing.erasing if name == "finish" else traces
    real, calls = getattr(owner, name), []

    def killed(*args: Any) -> Any:
        calls.append(args)
        if len(calls) > bool(again):
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, killed)
        with pytest.raises(KeyboardInterrupt):
            erasing.advance_all()
    assert not Erasure.objects.get().finished_at
    assert erasing.advance_all() == 1
    assert {name: where(name) for name in NAMES} == {name: [] for name in NAMES}


def test_killed_before_a_single_coupon_was_revoked_it_goes_on(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "revoke", killed)
        with pytest.raises(KeyboardInterrupt):
            erase(known.customer)
    assert IssuedCoupon.objects.get(pk=known.pushed.pk).status == CouponStatus.ISSUED
    assert erasing.advance_all() == 0
    drain_through()
    assert erasing.advance_all() == 1
    assert not where(OPENID)


def test_two_requests_at_once_erase_once(known: Known) -> None:
    together, found = threading.Barrier(2), []

    def ask() -> None:
        try:
            together.wait()
            found.append(coupons_erasing.erase(known.customer, reason="r", asked_by="staff:x"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fresh for _erasure, fresh in found) == [False, True]
    assert len({erasure.pk for erasure, _fresh in found}) == 1
    assert CouponEvent.objects.filter(coupon=known.pushed, kind=EventKind.REVOKED).count() == 1
    assert OutboxRow.objects.filter(coupon=known.pushed, kind=RowKind.WITHDRAW).count() == 1


def test_two_sweeps_at_once_end_one_erasure(known: Known) -> None:
    erasure = erase(known.customer)
    drain_through()
    together, failed = threading.Barrier(2), []

    def sweep() -> None:
        try:
            together.wait()
            erasing.advance(Erasure.objects.get(pk=erasure.pk))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert Erasure.objects.get().finished_at
    assert not where(OPENID)


def test_a_delivery_on_its_way_is_taken_back_too(known: Known, dfire: Dfire) -> None:
    """dfire heard of the coupon while the customer was being erased: it must not keep it."""
    customer = CustomerFactory(merchant=known.template.merchant, openid="o-on-its-way-01")
    coupon = issued(known.template, customer)
    [job] = [job for job in claiming.claim(known.account.pk, 5).jobs if job.coupon_id == coupon.pk]
    outcome = calling.perform(job)
    erasure = erase(customer)
    assert not erasing.advance(erasure)
    settling.settle(job, outcome)
    drain_through()
    assert erasing.advance(erasure)
    assert held_at(dfire, coupon) == "deleted"
    assert not where("o-on-its-way-01")
