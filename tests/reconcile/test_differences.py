"""Each way in which dfire and the portal can disagree is found, repaired through the outbox, and gone at the next."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import Finding, OutboxRow
from integrations.models.outbox import RowState
from integrations.models.reconcile import Drift, FindingState, Repair, RunState
from integrations.outbox import engine
from integrations.reconcile import repairing
from merchants import customers
from tests.factories import CustomerFactory, published
from tests.outbox.helpers import drain_through, events, one_coupon, revoke, row_of
from tests.reconcile.dfire import Dfire
from tests.reconcile.helpers import agree, compare, delivered, plan, repair_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lili(db: None) -> User:
    return User.objects.create_user("lili", is_staff=True)


@pytest.fixture(autouse=True)
def _many_may_be_taken_back(settings: object) -> None:
    settings.RECONCILE_MAX_WITHDRAW_PERCENT = 100  # type: ignore[attr-defined]


def test_nothing_is_found_where_all_agrees(template: CouponTemplate, dfire: Dfire) -> None:
    held, used, revoked = delivered(template, 3)
    dfire.redeem(used.code)
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([used.pk])[0], at=timezone.now())
    revoke(revoked)
    engine.drain()
    one_coupon(template, openid="")  # waits for its customer's binding
    agree(template.merchant)
    assert dfire.coupon(held.code)["status"] == "held"  # type: ignore[index]


def test_missing_there_is_delivered_again_after_asking(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.MISSING_THERE, coupon.code, Repair.DELIVER_AGAIN)]
    repair_all(run, lili)
    coupon.refresh_from_db()
    assert dfire.coupon(coupon.code)["delivered"] == 1  # type: ignore[index]
    assert (coupon.delivery, Finding.objects.get().state) == (Delivery.DELIVERED, FindingState.REPAIRED)
    agree(template.merchant)


def test_one_that_came_back_by_itself_is_not_delivered_twice(
    template: CouponTemplate, dfire: Dfire, lili: User
) -> None:
    [coupon] = delivered(template)
    dfire.write("UPDATE coupons SET status = 'deleted' WHERE code = ?", coupon.code)
    run = compare(template.merchant, by=lili)
    dfire.hold_again(coupon.code)
    repair_all(run, lili)
    coupon.refresh_from_db()
    assert (coupon.delivery, dfire.coupon(coupon.code)["delivered"]) == (Delivery.DELIVERED, 1)  # type: ignore[index]


def test_one_that_was_delivered_under_an_earlier_openid_is_looked_for_there(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template, openid="first")
    engine.drain()
    customers.bind(coupon.customer, openid="second")
    agree(template.merchant)


def test_redeemed_there_is_redeemed_here(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    [coupon] = delivered(template)
    dfire.redeem(coupon.code)
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.REDEEMED_THERE, coupon.code, Repair.REDEEM_HERE)]
    repair_all(run, lili)
    coupon.refresh_from_db()
    assert (coupon.status, coupon.redeemed_through) == (CouponStatus.REDEEMED, "till")
    said = coupon.events.get(kind="reconciled")
    assert (said.actor, said.data["found"]) == ("staff:lili", Drift.REDEEMED_THERE)
    agree(template.merchant)


def test_redeemed_here_only_is_redeemed_at_dfire(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    [coupon] = delivered(template)
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now())
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.REDEEMED_HERE, coupon.code, Repair.VERIFY_THERE)]
    repair_all(run, lili)
    assert dfire.coupon(coupon.code)["status"] == "used"  # type: ignore[index]
    agree(template.merchant)


def test_unknown_here_is_taken_back_whatever_its_promotion(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    published(merchant=template.merchant)
    drain_through()
    customer = CustomerFactory(merchant=template.merchant)
    dfire.give_unknown("1234123412341234", openid=customer.openid)
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.UNKNOWN_HERE, "1234123412341234", Repair.WITHDRAW_THERE)]
    repair_all(run, lili)
    assert dfire.coupon("1234123412341234")["status"] == "deleted"  # type: ignore[index]
    agree(template.merchant)


def test_an_unknown_one_that_is_used_can_only_be_accepted(template: CouponTemplate, dfire: Dfire) -> None:
    customer = CustomerFactory(merchant=template.merchant)
    dfire.give_unknown("1234123412341234", openid=customer.openid, status="used")
    assert plan(compare(template.merchant)) == [(Drift.UNKNOWN_HERE, "1234123412341234", "")]


def test_another_holder_loses_it_to_its_customer(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    [coupon] = delivered(template)
    stranger = CustomerFactory(merchant=template.merchant)
    dfire.hand_to(coupon.code, stranger.openid)
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.HOLDER_DIFFERS, coupon.code, Repair.BRING_HOME)]
    repair_all(run, lili)
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (held["status"], held["openid"]) == ("held", coupon.customer.openid)
    agree(template.merchant)


def test_one_that_its_holder_gave_on_can_only_be_accepted(template: CouponTemplate, dfire: Dfire) -> None:
    [coupon] = delivered(template)
    dfire.hand_to(coupon.code, "nobody-we-know")
    dfire.write(
        "INSERT INTO transfers (code, appid, from_openid, to_openid, at) VALUES (?, ?, ?, 'nobody-we-know', 0)",
        coupon.code, coupon.delivered_appid, coupon.delivered_openid,
    )  # fmt: skip
    assert plan(compare(template.merchant)) == [(Drift.HOLDER_DIFFERS, coupon.code, "")]


def test_a_revoked_one_that_is_still_held_is_taken_back(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    [coupon] = delivered(template)
    revoke(coupon)
    drain_through()
    dfire.hold_again(coupon.code)
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.STILL_HELD, coupon.code, Repair.WITHDRAW_THERE)]
    repair_all(run, lili)
    assert dfire.coupon(coupon.code)["status"] == "deleted"  # type: ignore[index]
    agree(template.merchant)


def test_one_whose_delivery_failed_here_and_happened_there_is_taken_as_delivered(
    template: CouponTemplate, dfire: Dfire, lili: User
) -> None:
    coupon = one_coupon(template)
    dfire.fault("dfire.shop.deliver.promotion", "refuse")
    drain_through()
    dfire.give_unknown(coupon.code, openid=coupon.customer.openid)
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.UNDELIVERED_HERE, coupon.code, Repair.TAKE_DELIVERED)]
    repair_all(run, lili)
    coupon.refresh_from_db()
    assert (coupon.delivery, coupon.delivered_openid) == (Delivery.DELIVERED, coupon.customer.openid)
    assert len(dfire.calls("dfire.shop.deliver.promotion")) == 1
    agree(template.merchant)


def test_one_whose_delivery_was_lost_here_is_delivered(template: CouponTemplate, dfire: Dfire, lili: User) -> None:
    coupon = one_coupon(template)
    OutboxRow.objects.filter(coupon=coupon).update(state=RowState.CANCELLED)
    run = compare(template.merchant, by=lili)
    assert plan(run) == [(Drift.MISSING_THERE, coupon.code, Repair.DELIVER_AGAIN)]
    repair_all(run, lili)
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED


def test_a_failed_delivery_stands_in_the_outbox_and_is_not_found_once_more(
    template: CouponTemplate, dfire: Dfire
) -> None:
    dfire.fault("dfire.shop.deliver.promotion", "refuse")
    coupon = one_coupon(template)
    drain_through()
    assert row_of(coupon).state == RowState.DEAD
    agree(template.merchant)


def test_a_repair_comes_too_late_where_the_coupon_has_moved_on(
    template: CouponTemplate, dfire: Dfire, lili: User
) -> None:
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    run = compare(template.merchant, by=lili)
    revoke(coupon)
    repair_all(run, lili)
    found = Finding.objects.get()
    assert (found.state, found.message) == (FindingState.STALE, "no_longer_so")
    assert "reconciled" not in events(coupon)


def test_at_night_only_what_needs_no_decision_is_repaired(template: CouponTemplate, dfire: Dfire) -> None:
    used, lost = delivered(template, 2)
    dfire.redeem(used.code)
    dfire.lose(lost.code)
    run = compare(template.merchant)
    repairing.repair_queued()
    used.refresh_from_db()
    assert used.status == CouponStatus.REDEEMED
    assert used.events.get(kind="reconciled").actor == "portal"
    open_ones = Finding.objects.filter(state=FindingState.OPEN).values_list("subject", flat=True)
    assert list(open_ones) == [lost.code]
    run.refresh_from_db()
    assert run.state == RunState.PLANNED


def test_a_coupon_that_is_over_at_dfire_is_not_missing_there(template: CouponTemplate, dfire: Dfire) -> None:
    [coupon] = delivered(template)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(dfire_valid_until=timezone.now() - timedelta(days=2))
    dfire.lose(coupon.code)
    agree(template.merchant)
