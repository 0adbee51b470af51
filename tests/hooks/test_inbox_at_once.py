"""A callback that was here first is applied the moment its coupon is, whoever of the two commits last."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from coupons.choices import CouponStatus, EventKind
from coupons.models import CouponTemplate, IssuedCoupon
from integrations import inbox as box
from integrations.models import DfireCallback
from merchants.models import DfireAccount, Merchant
from tests.factories import CustomerFactory, DfireAccountFactory, issued, published
from tests.hooks.helpers import callback, close_connection, inbox, tell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def template(merchant: Merchant) -> CouponTemplate:
    """A template of merchant 88."""
    return published(merchant=merchant)


def beside(function: Callable[[], Any]) -> threading.Thread:
    """Run it in a thread, with a database connection of its own."""

    def run() -> None:
        try:
            function()
        finally:
            close_connection()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def someone_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw at first
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])


def assert_redeemed_once(coupon: IssuedCoupon) -> None:
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED
    assert coupon.events.filter(kind=EventKind.REDEEMED).count() == 1
    assert [state for _, state, _ in inbox()] == ["applied"]


def test_a_callback_before_our_own_commit_is_applied_by_that_commit(
    tills: DfireAccount, template: CouponTemplate
) -> None:
    customer = CustomerFactory(merchant=template.merchant)
    with transaction.atomic():
        coupon = issued(template, customer)
        thread = beside(lambda: tell(callback(tills, coupon.code)))
        thread.join(10)
        assert inbox() == [(coupon.code, "unknown_coupon", 0)], "not committed, so not known"
    assert_redeemed_once(coupon)


@pytest.fixture
def callbacks_commit_on_leave() -> Iterator[Callable[[], None]]:
    """A callback's commit waits until the test gives leave."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION wait_for_leave() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END$$;"
            "CREATE CONSTRAINT TRIGGER commits_on_leave AFTER INSERT ON integrations_dfirecallback"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_leave();"
            "SELECT pg_advisory_lock(42)"
        )

    def give_leave() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(42)")

    yield give_leave
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all(); DROP FUNCTION wait_for_leave CASCADE")


def test_a_callback_that_looks_before_our_commit_and_commits_after_it_looks_again(
    tills: DfireAccount, template: CouponTemplate, callbacks_commit_on_leave: Callable[[], None]
) -> None:
    """The one order in which neither would see the other, did not both look once more after their own commit."""
    customer = CustomerFactory(merchant=template.merchant)
    with transaction.atomic():
        coupon = issued(template, customer)
        thread = beside(lambda: tell(callback(tills, coupon.code)))
        until = time.monotonic() + 10
        while not someone_waits_for_a_lock():
            assert time.monotonic() < until
            time.sleep(0.01)
    assert inbox() == [], "the issue is committed and has looked, the callback is not there yet"
    callbacks_commit_on_leave()
    thread.join(10)
    assert_redeemed_once(coupon)


def test_who_brings_coupons_in_by_another_way_says_so(tills: DfireAccount, template: CouponTemplate) -> None:
    """As an import does: the rows are there, and no signal of an issue was sent."""
    codes = [f"91706169803137{n:02d}" for n in range(3)]
    for code in codes:
        tell(callback(tills, code))
    coupons = [issued(template) for _ in codes[1:]]
    for coupon, code in zip(coupons, codes[1:], strict=True):
        IssuedCoupon.objects.filter(pk=coupon.pk).update(code=code)
    assert box.appeared(codes) == 2
    assert [state for _, state, _ in inbox()] == ["unknown_coupon", "applied", "applied"]


def test_when_the_merchant_moves_to_the_account_its_callbacks_are_applied_at_once(
    template: CouponTemplate, merchant: Merchant
) -> None:
    coupon, stranger = issued(template), DfireAccountFactory()
    tell(callback(stranger, coupon.code))
    assert DfireCallback.objects.get().merchant == merchant
    merchant.dfire_account = stranger
    merchant.save()
    assert_redeemed_once(coupon)
