"""What lacks something waits, visibly, and goes when it is there."""

import threading
from typing import Any

import pytest
from django.db import connection, connections

from coupons.choices import Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, settling
from integrations.outbox.claiming import claim
from integrations.sync import release
from integrations.sync.words import APPID_MISSING, MOBILE_MISSING, NOT_CONNECTED, OPENID_MISSING
from merchants import customers
from merchants.models import Customer, Merchant
from tests.factories import CustomerFactory, issued, published
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, events, one_coupon, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("lacking", "binding", "why"),
    [
        ({"openid": ""}, {"openid": "bound"}, OPENID_MISSING),
        ({"identifier": "card-1", "mobile": ""}, {"mobile": "13900000001"}, MOBILE_MISSING),
    ],
)
def test_a_coupon_waits_for_the_customers_binding_and_goes_with_it(
    template: CouponTemplate, dfire: Dfire, lacking: dict[str, str], binding: dict[str, str], why: str
) -> None:
    coupon = one_coupon(template, **lacking)
    engine.drain()
    assert (row_of(coupon).state, row_of(coupon).last_message) == (RowState.WAITING, why)
    assert (coupon.delivery, dfire.calls(DELIVER)) == (Delivery.WAITING, [])
    customers.bind(coupon.customer, **binding)
    coupon.refresh_from_db()
    assert (row_of(coupon).state, coupon.delivery) == (RowState.QUEUED, Delivery.QUEUED)
    engine.drain()
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED
    assert events(coupon) == ["issued", "waiting", "queued", "delivered"]


def test_half_a_binding_releases_nothing(template: CouponTemplate) -> None:
    coupon = one_coupon(template, identifier="card-1", mobile="", openid="")
    customers.bind(coupon.customer, openid="bound")
    assert row_of(coupon).state == RowState.WAITING


@pytest.mark.parametrize(("field", "why"), [("appid", APPID_MISSING), ("dfire_account", NOT_CONNECTED)])
def test_a_coupon_waits_for_what_the_merchant_lacks(
    template: CouponTemplate, dfire: Dfire, field: str, why: str
) -> None:
    merchant = template.merchant
    present: Any = getattr(merchant, field)
    setattr(merchant, field, "" if field == "appid" else None)
    merchant.save()
    coupon = one_coupon(template)
    engine.drain()
    assert (row_of(coupon).state, row_of(coupon).last_message, coupon.delivery) == ("waiting", why, "waiting")
    setattr(merchant, field, present)
    merchant.save()
    engine.drain()
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED


def test_a_template_waits_for_the_merchants_appid_too(merchant: Merchant) -> None:
    merchant.appid = ""
    merchant.save()
    coupon = one_coupon(published(merchant=merchant))
    engine.drain()
    save = OutboxRow.objects.get(kind=RowKind.SAVE_PROMOTION)
    assert (save.state, save.last_message) == (RowState.WAITING, APPID_MISSING)
    merchant.appid = "wx-late"
    merchant.save()
    engine.drain()
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED


def test_a_binding_lost_before_sending_makes_a_queued_coupon_wait(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    customers.bind(coupon.customer, openid="")
    engine.drain()
    coupon.refresh_from_db()
    assert (row_of(coupon).state, coupon.delivery) == (RowState.WAITING, Delivery.WAITING)
    assert dfire.calls(DELIVER) == []


def test_a_binding_that_comes_between_the_look_and_the_verdict_is_not_missed(template: CouponTemplate) -> None:
    coupon = one_coupon(template)
    customers.bind(coupon.customer, openid="")
    [standing] = claim(template.merchant.dfire_account_id or 0, 5).standing
    customers.bind(coupon.customer, openid="just in time")
    assert settling.settle_standing(standing)
    assert row_of(coupon).state == RowState.QUEUED
    engine.drain()
    assert row_of(coupon).state == RowState.DONE


def test_binding_and_issuing_at_the_same_moment_never_leave_a_coupon_waiting(
    template: CouponTemplate, dfire: Dfire
) -> None:
    people = [CustomerFactory(merchant=template.merchant, openid="") for _ in range(12)]
    start = threading.Barrier(2 * len(people))

    def at_once(act: Any, *args: Any) -> None:
        try:
            start.wait()
            act(*args)
        finally:
            connections.close_all()

    def bind(customer: Customer) -> None:
        customers.bind(Customer.objects.get(pk=customer.pk), openid=f"of-{customer.pk}")

    threads = [threading.Thread(target=at_once, args=(bind, person)) for person in people]
    threads += [threading.Thread(target=at_once, args=(issued, template, person)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert OutboxRow.objects.filter(kind=RowKind.DELIVER).count() == len(people)
    assert not OutboxRow.objects.filter(state=RowState.WAITING).exists()
    drain_through()
    assert dfire.totals()["held"] == len(people)


def test_the_clock_finds_what_a_lost_moment_left_waiting(template: CouponTemplate) -> None:
    coupons = [one_coupon(template, openid="") for _ in range(3)]
    Customer.objects.filter(pk=coupons[0].customer_id).update(openid="past the signal")
    assert release.ready() == 1
    assert [row_of(coupon).state for coupon in coupons] == ["queued", "waiting", "waiting"]
    coupons[0].refresh_from_db()
    assert coupons[0].delivery == Delivery.QUEUED


def test_a_withdrawal_waits_for_the_account_alone(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    merchant = template.merchant
    account, merchant.dfire_account = merchant.dfire_account, None
    merchant.save()
    customers.bind(coupon.customer, openid="", mobile="")
    revoke(IssuedCoupon.objects.select_related("merchant").get(pk=coupon.pk))
    assert row_of(coupon, RowKind.WITHDRAW).state == RowState.WAITING
    merchant.dfire_account = account
    merchant.save()
    engine.drain()
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert held["status"] == "deleted"


def test_queued_rows_go_through_the_account_that_the_merchant_uses_now(template: CouponTemplate, dfire: Dfire) -> None:
    merchant = template.merchant
    working = merchant.dfire_account
    assert working is not None
    retired = type(working).objects.create(
        name="old", base_url="http://127.0.0.1:9/router", app_key="x", app_secret="y"
    )
    Merchant.objects.update(dfire_account=retired)
    coupon = one_coupon(CouponTemplate.objects.get(pk=template.pk))
    assert row_of(coupon).account_id == retired.pk
    merchant.dfire_account = working
    merchant.save()
    engine.drain()
    row = row_of(coupon)
    assert (row.state, row.account_id) == (RowState.DONE, working.pk)


def test_releasing_and_revoking_at_once_do_not_lock_each_other_out(template: CouponTemplate) -> None:
    coupons = [one_coupon(template, openid="") for _ in range(20)]
    Customer.objects.update(openid="")
    for coupon in coupons:
        Customer.objects.filter(pk=coupon.customer_id).update(openid=f"o{coupon.pk}")
    failed: list[BaseException] = []

    def run(act: Any, *args: Any) -> None:
        try:
            act(*args)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(release.ready,)) for _ in range(3)]
    threads += [threading.Thread(target=run, args=(revoke, coupon)) for coupon in reversed(coupons[::2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    connection.close()
    states = [row_of(coupon).state for coupon in coupons]
    assert states == [RowState.CANCELLED, RowState.QUEUED] * 10
