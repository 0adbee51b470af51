"""Two files at the same moment, and files beside everything else that locks customers and coupons: nobody waits for
ever, and an openid stays one customer's."""

import threading
from collections import Counter

import pytest
from django.db import transaction

from coupons import binding, lifecycle
from coupons.models import IssuedCoupon
from merchants.bindings import Entry
from merchants.models import Customer, Merchant
from tests.factories import CustomerFactory, MerchantFactory, issued, published
from tests.outbox.test_races import Crowd

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 40


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory()


def test_two_files_that_give_the_same_openids_to_others(merchant: Merchant) -> None:
    people = [CustomerFactory(merchant=merchant, openid="") for _ in range(PEOPLE)]
    forth = [Entry(row, one.identifier, "", f"o-{row}") for row, one in enumerate(people)]
    back = [Entry(row, one.identifier, "", f"o-{PEOPLE - 1 - row}") for row, one in enumerate(people)]
    done: list[binding.Applied] = []
    crowd = Crowd()
    for entries in (forth, back[::-1]):
        crowd.start(lambda rows=entries: done.append(binding.apply(merchant, rows, adds_unknown=False)))  # type: ignore[misc]
    crowd.join()
    assert crowd.failed == []
    openids = Counter(Customer.objects.exclude(openid="").values_list("openid", flat=True))
    assert set(openids.values()) == {1}
    assert sorted(len(one.changed) for one in done) == [0, PEOPLE], "who comes second finds them taken"


def test_two_files_that_give_the_same_openids_in_opposite_order_to_different_people(merchant: Merchant) -> None:
    """Without a line to stand in, each would hold openids that the other one waits for."""
    files = []
    for step in (1, -1):
        people = [CustomerFactory(merchant=merchant, openid="") for _ in range(PEOPLE * 4)]
        openids = [f"o-{row}" for row in range(len(people))][::step]
        named = zip(people, openids, strict=True)
        files.append([Entry(row, one.identifier, "", openid) for row, (one, openid) in enumerate(named)])
    done: list[binding.Applied] = []
    start, crowd = threading.Barrier(2), Crowd()

    def apply(entries: list[Entry]) -> None:
        start.wait()
        done.append(binding.apply(merchant, entries, adds_unknown=False))

    for entries in files:
        crowd.start(lambda rows=entries: apply(rows))  # type: ignore[misc]
    crowd.join()
    assert crowd.failed == []
    assert sorted((len(one.changed), len(one.refused)) for one in done) == [(0, PEOPLE * 4), (PEOPLE * 4, 0)]


def test_two_files_that_enter_the_same_new_customers(merchant: Merchant) -> None:
    entries = [Entry(row, f"vip-{row}", "", f"o-{row}") for row in range(PEOPLE)]
    done: list[binding.Applied] = []
    crowd = Crowd()
    for rows in (entries, entries[::-1]):
        crowd.start(lambda rows=rows: done.append(binding.apply(merchant, rows, adds_unknown=True)))  # type: ignore[misc]
    crowd.join()
    assert crowd.failed == []
    assert Customer.objects.filter(merchant=merchant).count() == PEOPLE
    assert sorted(len(one.created) for one in done) == [0, PEOPLE]


def test_a_file_beside_transfers_and_revokes(merchant: Merchant) -> None:
    template = published(merchant=merchant)
    people = [CustomerFactory(merchant=merchant, openid="") for _ in range(PEOPLE)]
    coupons = [issued(template, one) for one in reversed(people)]  # their order is not that of the customers
    start = threading.Barrier(3)

    def bind() -> None:
        start.wait()
        for half in (people[::2], people[1::2]):
            entries = [Entry(row, one.identifier, "", f"o-{one.pk}") for row, one in enumerate(half)]
            binding.apply(merchant, entries, adds_unknown=False)

    def give() -> None:
        start.wait()
        for coupon, receiver in zip(coupons[:10], people[:10], strict=True):
            with transaction.atomic():
                to = Customer.objects.select_for_update(no_key=True).get(pk=receiver.pk)
                lifecycle.transfer(lifecycle.lock([coupon.pk])[0], to, actor="staff:test")

    def recall() -> None:
        start.wait()
        ids = [coupon.pk for coupon in coupons[20:]]
        for some in (ids[:10], ids[10:]):
            with transaction.atomic():
                for coupon in lifecycle.lock(some):
                    lifecycle.revoke(coupon, reason="x", actor="staff:test")

    crowd = Crowd()
    for act in (bind, give, recall):
        crowd.start(act)
    crowd.join()
    assert crowd.failed == []
    assert not Customer.objects.filter(merchant=merchant, openid="").exists()
    assert not IssuedCoupon.objects.filter(status="issued", delivery="waiting").exists()


def test_nothing_of_a_slice_stays_when_it_breaks_off(merchant: Merchant) -> None:
    entries = [Entry(row, f"vip-{row}", "", f"o-{row}") for row in range(5)]

    class PulledPlug(Exception):
        pass

    def break_off() -> None:
        with transaction.atomic():
            binding.apply(merchant, entries, adds_unknown=True)
            raise PulledPlug

    with pytest.raises(PulledPlug):
        break_off()
    assert not Customer.objects.filter(merchant=merchant).exists()
