"""Two workers, a killed one, two files at the same moment, and files beside everything else that locks customers and
coupons: nobody is entered twice, nobody is passed over, nobody waits for ever, and an openid stays one customer's."""

import io
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import transaction

from coupons import customer_files, lifecycle
from coupons.customer_files import checking, entering, working
from coupons.models import IssuedCoupon
from merchants import customers
from merchants.choices import FileState
from merchants.models import Customer, CustomerFile, Merchant
from tests.factories import CustomerFactory, MerchantFactory, issued, published
from tests.merchants.files import came_of_it, checked, counts, table
from tests.outbox.test_races import Crowd

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 40


class PulledPlug(BaseException):
    pass


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory()


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SLICE", 7)
    monkeypatch.setattr(entering, "SLICE", 9)
    monkeypatch.setattr(entering, "CHANGES", 5)


def together(*jobs: Any) -> None:
    crowd = Crowd()
    start = threading.Barrier(len(jobs))

    def run(job: Any) -> None:
        start.wait()
        job()

    for job in jobs:
        crowd.start(lambda one=job: run(one))  # type: ignore[misc]
    crowd.join()
    assert crowd.failed == []


def finished(*files: CustomerFile) -> None:
    """What one worker let go of while the others looked."""
    customer_files.work_all()
    for file in files:
        file.refresh_from_db()


def started(file: CustomerFile) -> CustomerFile:
    customer_files.start(file, may_add=True)
    return file


def fresh(count: int, prefix: str = "vip") -> list[tuple[str, str, str]]:
    return [(f"{prefix}-{n}", "", f"o-{n}") for n in range(count)]


def test_two_workers_check_and_enter_each_row_once(merchant: Merchant) -> None:
    known = [CustomerFactory(merchant=merchant, openid="") for _ in range(PEOPLE)]
    rows = fresh(PEOPLE) + [(one.identifier, "", f"k-{one.pk}") for one in known]
    file = customer_files.begin(merchant, table(*rows), adds_unknown=True)
    together(customer_files.work_all, customer_files.work_all, customer_files.work_all)
    finished(file)
    assert counts(file) == (PEOPLE, PEOPLE, 0, 0)
    assert sorted(file.rows.values_list("number", flat=True)) == list(range(2, 2 + 2 * PEOPLE))
    started(file)
    together(customer_files.work_all, customer_files.work_all, customer_files.work_all)
    finished(file)
    assert came_of_it(file) == ("done", PEOPLE, PEOPLE, 0, 0)
    assert Customer.objects.exclude(openid="").count() == 2 * PEOPLE


@pytest.mark.parametrize("slices", [0, 1, 3])
def test_a_worker_that_is_killed_leaves_nothing_of_its_slice(
    merchant: Merchant, slices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = customer_files.begin(merchant, table(*fresh(PEOPLE)), adds_unknown=True)
    for module, name in ((working, "check_slice"), (working, "enter_slice")):
        work, worked = getattr(module, name), 0

        def dies(*given: Any, work: Any = work) -> None:
            nonlocal worked
            work(*given)
            if worked == slices:
                raise PulledPlug
            worked += 1

        with monkeypatch.context() as patched:
            patched.setattr(module, name, dies)
            with pytest.raises(PulledPlug):
                customer_files.work_all()
        file.refresh_from_db()
        assert Customer.objects.count() == file.created
        finished(file)
        if file.state == FileState.READY:
            assert counts(file) == (PEOPLE, 0, 0, 0)
            started(file)
    assert came_of_it(file) == ("done", PEOPLE, 0, 0, 0)
    assert Customer.objects.count() == PEOPLE


def test_one_file_sent_twice_enters_everybody_once(merchant: Merchant) -> None:
    one, two = [checked(merchant, table(*fresh(PEOPLE))) for _ in range(2)]
    for file in (one, two):
        started(file)
    together(customer_files.work_all, customer_files.work_all)
    finished(one, two)
    assert Customer.objects.filter(merchant=merchant).count() == PEOPLE
    assert (one.created + two.created, one.same + two.same, one.refused + two.refused) == (PEOPLE, PEOPLE, 0)


def test_two_files_that_give_the_same_openids_to_others(merchant: Merchant) -> None:
    """Without a line to stand in, each would hold openids that the other one waits for."""
    files = []
    for step in (1, -1):
        people = [CustomerFactory(merchant=merchant, openid="") for _ in range(PEOPLE)]
        openids = [f"o-{row}" for row in range(len(people))][::step]
        rows = [(one.identifier, "", openid) for one, openid in zip(people, openids, strict=True)]
        files.append(checked(merchant, table(*rows)))
    for file in files:
        started(file)
    together(customer_files.work_all, customer_files.work_all)
    finished(*files)
    openids = Counter(Customer.objects.exclude(openid="").values_list("openid", flat=True))
    assert (len(openids), set(openids.values())) == (PEOPLE, {1})
    assert [file.changed + file.refused for file in files] == [PEOPLE, PEOPLE]
    assert sum(file.changed for file in files) == PEOPLE


def test_beside_those_who_enter_the_same_customers_one_by_one(merchant: Merchant) -> None:
    file = started(checked(merchant, table(*fresh(PEOPLE))))

    def singly() -> None:
        for n in reversed(range(PEOPLE)):
            found = customers.find_or_create(merchant, f"vip-{n}")
            if n % 2:
                customers.bind(found, mobile=f"1380013{n:04d}")

    together(customer_files.work_all, singly)
    finished(file)
    assert Customer.objects.count() == PEOPLE
    assert not Customer.objects.filter(openid="").exists()
    assert (file.created + file.changed + file.same, file.refused) == (PEOPLE, 0)
    assert Customer.objects.exclude(mobile="").count() == PEOPLE // 2


def test_a_file_beside_transfers_and_revokes(merchant: Merchant) -> None:
    template = published(merchant=merchant)
    people = [CustomerFactory(merchant=merchant, openid="") for _ in range(PEOPLE)]
    coupons = [issued(template, one) for one in reversed(people)]  # their order is not that of the customers
    file = started(checked(merchant, table(*((one.identifier, "", f"o-{one.pk}") for one in people))))

    def give() -> None:
        for coupon, receiver in zip(coupons[:10], people[:10], strict=True):
            with transaction.atomic():
                to = Customer.objects.select_for_update(no_key=True).get(pk=receiver.pk)
                lifecycle.transfer(lifecycle.lock([coupon.pk])[0], to, actor="staff:test")

    def recall() -> None:
        ids = [coupon.pk for coupon in coupons[20:]]
        for some in (ids[:10], ids[10:]):
            with transaction.atomic():
                for coupon in lifecycle.lock(some):
                    lifecycle.revoke(coupon, reason="x", actor="staff:test")

    together(customer_files.work_all, give, recall)
    finished(file)
    assert came_of_it(file) == ("done", 0, PEOPLE, 0, 0)
    assert not Customer.objects.filter(merchant=merchant, openid="").exists()
    assert not IssuedCoupon.objects.filter(status="issued", delivery="waiting").exists()


def test_a_cancel_takes_effect_between_two_slices(merchant: Merchant) -> None:
    file = started(checked(merchant, table(*fresh(PEOPLE))))
    together(customer_files.work_all, lambda: customer_files.cancel(file))
    customer_files.work_all()
    file.refresh_from_db()
    assert file.state == "cancelled"
    assert Customer.objects.count() == file.created
    assert file.created in (*range(0, PEOPLE, 9), PEOPLE)
    assert not file.rows.exists()


def test_a_file_that_stopped_at_an_error_goes_on(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    file = customer_files.begin(merchant, io.BytesIO(table(*fresh(PEOPLE)).encode()), adds_unknown=True)
    with monkeypatch.context() as patched:
        patched.setattr(checking.bindings, "take_in", lambda rows: 1 / 0)
        finished(file)
    assert (file.state, file.problem) == ("stopped", "broken")
    customer_files.resume(file)
    finished(file)
    assert counts(file) == (PEOPLE, 0, 0, 0)
