"""Many at once, on PostgreSQL with real threads: limits hold to the one, and nobody waits for ever."""

import threading
from collections.abc import Callable

import pytest
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from coupons import lifecycle, templates
from coupons.choices import CouponStatus
from coupons.errors import Refused
from coupons.models import CouponTemplate, IssuedCoupon
from merchants import customers
from tests.factories import CustomerFactory, issued, published

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run them side by side from one start; results, refusals among them."""
    gate = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(position: int, work: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            gate.wait()
            results[position] = work()
        except Exception as error:
            results[position] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "somebody waits for ever"
    close_old_connections()
    return results


def fresh(template: CouponTemplate) -> CouponTemplate:
    return CouponTemplate.objects.get(pk=template.pk)


def count(results: list[object], kind: type) -> int:
    return sum(isinstance(result, kind) for result in results)


def test_twenty_at_once_get_the_five_that_are_left() -> None:
    template = published(stock=5)
    results = at_once(*[lambda: issued(fresh(template))] * 20)
    assert (count(results, IssuedCoupon), count(results, Refused)) == (5, 15)
    assert fresh(template).issued_count == IssuedCoupon.objects.count() == 5


def test_one_person_asking_ten_times_at_once_gets_one() -> None:
    template = published(per_person_limit=1)
    customer = CustomerFactory(merchant=template.merchant)
    results = at_once(*[lambda: issued(fresh(template), customer)] * 10)
    assert (count(results, IssuedCoupon), count(results, Refused)) == (1, 9)


def test_a_new_customer_named_by_ten_at_once_is_made_once() -> None:
    merchant = published().merchant
    results = at_once(*[lambda: customers.find_or_create(merchant, "13900139000").pk] * 10)
    assert len(set(results)) == 1


@pytest.mark.parametrize("attempt", range(5))
def test_a_redemption_and_a_revoke_at_once_end_redeemed(attempt: int) -> None:
    coupon = issued()

    @transaction.atomic
    def redeem() -> object:
        return lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now())

    @transaction.atomic
    def revoke() -> None:
        lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="", actor="staff:test")

    at_once(redeem, revoke)
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED
    assert coupon.template.issued_count == 1


def test_issuing_revoking_editing_and_binding_at_once_do_not_wait_for_each_other_for_ever() -> None:
    template = published()
    customer = CustomerFactory(merchant=template.merchant, openid="")
    coupons = [issued(template, customer) for _ in range(4)]

    @transaction.atomic
    def revoke(coupon: IssuedCoupon) -> str:
        lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="", actor="staff:test")
        return "revoked"

    def edit() -> str:
        edited = fresh(template)
        edited.min_spend_fen += 100
        templates.save_edited(edited)
        return "edited"

    works: list[Callable[[], object]] = [lambda coupon=coupon: revoke(coupon) for coupon in coupons]
    works += [lambda: issued(fresh(template), customer)] * 4
    works += [
        edit,
        edit,
        lambda: customers.bind(customer, openid="o-1"),
        lambda: customers.bind(customer, openid="o-2"),
    ]
    results = at_once(*works)
    assert count(results, Exception) == 0, results
    assert fresh(template).issued_count == 4
