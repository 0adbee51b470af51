"""Redemptions that dfire leaves open: who may decide them, when, and what dfire says afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coupons import lifecycle
from coupons.models import IssuedCoupon
from integrations.models import AccountState, OutboxRow, PartnerOrder
from integrations.outbox import engine, repair
from integrations.sync import open_redemptions, redemptions
from merchants.models import MerchantScope
from tests.api.caller import refused
from tests.api.redeeming import VERIFY, Scene, figures
from tests.api.test_redeeming_outcomes import patience, till_says
from tests.outbox.helpers import drain_through

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(minutes=11)


@pytest.fixture
def open_one(scene: Scene) -> Scene:
    """An order whose answer got lost, and a dfire that has been silent ever since."""
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_after")
    assert scene.redeem().status_code == 202
    return scene


def silent_since(scene: Scene, ago: timedelta) -> None:
    PartnerOrder.objects.update(began_at=timezone.now() - ago)
    AccountState.objects.update(last_answer_at=timezone.now() - ago)


def test_the_limit_counts_from_the_accounts_last_answer(open_one: Scene) -> None:
    coupon_id = open_one.coupon.pk
    silent_since(open_one, timedelta(minutes=9))
    assert not open_redemptions.decide(coupon_id, redeemed=True, actor="staff:x")
    silent_since(open_one, LONG_AGO)
    AccountState.objects.update(last_answer_at=timezone.now())
    assert (open_redemptions.flag_overdue(), open_redemptions.decide(coupon_id, redeemed=True, actor="staff:x")) == (
        0,
        False,
    )
    silent_since(open_one, LONG_AGO)
    assert (open_redemptions.flag_overdue(), open_redemptions.flag_overdue()) == (1, 0)
    assert open_one.fresh().flag == "redeeming_undecided"
    assert open_redemptions.decide(coupon_id, redeemed=True, actor="staff:x")
    assert not open_redemptions.decide(coupon_id, redeemed=False, actor="staff:x"), "once"


def test_an_account_that_answers_everything_but_the_call_leaves_it_to_staff_too(scene: Scene) -> None:
    """Those that cannot be decided yet do not stand in the way of those that can."""
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_before", times=None)
    assert scene.redeem().status_code == 202
    first = scene.coupon
    scene.renew()
    assert scene.redeem().status_code == 202
    PartnerOrder.objects.filter(coupon=first).update(began_at=timezone.now() - LONG_AGO * 2)
    PartnerOrder.objects.filter(coupon=scene.coupon).update(began_at=timezone.now() - LONG_AGO)
    OutboxRow.objects.filter(coupon=first).update(available_at=timezone.now() + LONG_AGO)
    for calls in (1, 3, 5):
        assert scene.row().attempts.count() == calls
        assert open_redemptions.flag_overdue(limit=1) == 0, calls
        OutboxRow.objects.filter(pk=scene.row().pk).update(available_at=timezone.now())
        engine.drain()
    assert AccountState.objects.get().last_answer_at > timezone.now() - timedelta(minutes=1)
    assert open_redemptions.flag_overdue(limit=1) == 1
    assert (scene.fresh().flag, IssuedCoupon.objects.get(pk=first.pk).flag) == ("redeeming_undecided", "")
    PartnerOrder.objects.update(began_at=timezone.now() - timedelta(minutes=9))
    assert not open_redemptions.decide(scene.coupon.pk, redeemed=False, actor="staff:x"), "too soon"
    PartnerOrder.objects.update(began_at=timezone.now() - LONG_AGO)
    assert open_redemptions.decide(scene.coupon.pk, redeemed=False, actor="staff:x")


def test_it_was(open_one: Scene) -> None:
    silent_since(open_one, LONG_AGO)
    open_redemptions.decide(open_one.coupon.pk, redeemed=True, actor="staff:mei")
    assert open_one.redeem().status_code == 200
    coupon = open_one.fresh()
    assert (coupon.redeemed_through, coupon.saved_fen, open_one.order().decided_by) == ("api", 1000, "staff:mei")
    assert coupon.events.get(kind="redeemed").actor == "staff:mei"
    drain_through()
    assert (open_one.row().state, open_one.spent()["verified"], open_one.fresh().flag) == ("done", 1, "")
    assert figures()["redeemed"] == 1


def test_it_was_and_dfire_had_never_heard_of_it(scene: Scene) -> None:
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_before")
    scene.redeem()
    silent_since(scene, LONG_AGO)
    open_redemptions.decide(scene.coupon.pk, redeemed=True, actor="staff:mei")
    drain_through()
    assert (scene.row().state, scene.spent()["verified"]) == ("done", 1)


def test_it_was_not(scene: Scene) -> None:
    before = figures()
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_before")
    scene.redeem()
    silent_since(scene, LONG_AGO)
    open_redemptions.decide(scene.coupon.pk, redeemed=False, actor="staff:mei")
    assert refused(scene.redeem()) == (409, "order_undone", None)
    assert (scene.fresh().status, figures()) == ("issued", before)
    assert refused(scene.redeem("o-2")) == (409, "redeeming", None), "until dfire has been asked"
    drain_through()
    assert (scene.row().state, len(scene.dfire.calls(VERIFY))) == ("cancelled", 1)
    assert scene.redeem("o-2").status_code == 200
    assert refused(scene.redeem()) == (409, "order_undone", None)


@pytest.mark.parametrize("meanwhile", ["issued", "revoked"])
def test_it_was_not_and_dfire_says_that_it_was(open_one: Scene, meanwhile: str) -> None:
    silent_since(open_one, LONG_AGO)
    open_redemptions.decide(open_one.coupon.pk, redeemed=False, actor="staff:mei")
    if meanwhile == "revoked":
        revoked = open_one.api.post(f"coupons/{open_one.coupon.code}/revoke/", {"reason": "x"})
        assert revoked.status_code == 200
    drain_through()
    coupon = open_one.fresh()
    assert (coupon.status, coupon.redeemed_through, coupon.flag) == ("redeemed", "api", "redeemed_after_decision")
    assert open_one.redeem().status_code == 200
    assert (figures()["redeemed"], open_one.spent()["verified"]) == (1, 1)
    open_one.template.refresh_from_db()
    assert (open_one.template.issued_count, open_one.template.committed_fen) == (1, 1000)


def test_what_was_never_sent_is_not_sent_after_a_no(scene: Scene, settings: Any) -> None:
    settings.PUSH_CONFIRM_AT_ONCE = 0
    scene.redeem()
    silent_since(scene, LONG_AGO)
    open_redemptions.decide(scene.coupon.pk, redeemed=False, actor="staff:mei")
    drain_through()
    assert (scene.row().state, scene.dfire.calls(VERIFY)) == ("cancelled", [])
    assert scene.redeem("o-2").status_code in (200, 202)


def test_a_till_that_reports_what_nobody_asks_about_any_more_settles_it(open_one: Scene) -> None:
    OutboxRow.objects.filter(pk=open_one.row().pk).update(state="dead")
    assert till_says(open_one.coupon).state == "repeated"
    assert (open_one.order().state, open_one.order().inferred) == ("redeemed", True)
    assert open_one.fresh().flag == "redeemed_by_two"


def test_what_dfire_says_in_the_end_needs_no_decision_any_more(open_one: Scene) -> None:
    silent_since(open_one, LONG_AGO)
    assert open_redemptions.flag_overdue() == 1
    drain_through()
    assert (open_one.fresh().status, open_one.fresh().flag) == ("redeemed", "")


def test_what_had_been_given_up_is_asked_about_after_a_no(open_one: Scene) -> None:
    OutboxRow.objects.filter(pk=open_one.row().pk).update(state="dead")
    open_redemptions.decide(open_one.coupon.pk, redeemed=False, actor="staff:mei")
    assert open_one.fresh().status == "issued"
    drain_through()
    assert (open_one.fresh().status, open_one.fresh().flag) == ("redeemed", "redeemed_after_decision")


def test_a_comparison_that_sees_it_used_takes_it_for_the_orders(open_one: Scene) -> None:
    OutboxRow.objects.filter(pk=open_one.row().pk).update(state="dead")
    with transaction.atomic():
        assert redemptions.conclude(lifecycle.lock([open_one.coupon.pk])[0])
    assert (open_one.order().state, open_one.order().inferred, open_one.redeem().status_code) == ("redeemed", True, 200)


@pytest.mark.parametrize("told", ["before", "after"])
def test_a_late_echo_of_what_was_called_off_is_the_orders(open_one: Scene, told: str) -> None:
    """Told before or after the decision, while dfire is asked still."""
    silent_since(open_one, LONG_AGO)
    callback = till_says(open_one.coupon) if told == "before" else None
    assert open_redemptions.decide(open_one.coupon.pk, redeemed=False, actor="staff:mei")
    callback = callback or till_says(open_one.coupon)
    callback.refresh_from_db()
    assert (callback.state, open_one.fresh().status, open_one.order().state) == ("waits", "issued", "undone")
    drain_through()
    callback.refresh_from_db()
    coupon = open_one.fresh()
    assert (callback.state, open_one.order().state, open_one.order().inferred) == ("repeated", "redeemed", True)
    assert (coupon.redeemed_through, coupon.saved_fen, coupon.flag) == ("api", 1000, "redeemed_after_decision")
    assert open_one.redeem().status_code == 200


@pytest.mark.parametrize("by", ["callback", "comparison"])
def test_what_was_called_off_and_nobody_asks_about_any_more_is_settled_by_its_echo(open_one: Scene, by: str) -> None:
    silent_since(open_one, LONG_AGO)
    open_redemptions.decide(open_one.coupon.pk, redeemed=False, actor="staff:mei")
    OutboxRow.objects.filter(pk=open_one.row().pk).update(state="dead")
    if by == "callback":
        assert till_says(open_one.coupon).state == "repeated"
    else:
        with transaction.atomic():
            assert redemptions.conclude(lifecycle.lock([open_one.coupon.pk])[0])
    coupon = open_one.fresh()
    assert (coupon.redeemed_through, coupon.flag) == ("api", "redeemed_after_decision")
    assert (open_one.order().state, open_one.order().inferred) == ("redeemed", True)


def test_after_a_no_that_dfire_confirmed_a_till_is_a_till(scene: Scene) -> None:
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_before")
    scene.redeem()
    silent_since(scene, LONG_AGO)
    open_redemptions.decide(scene.coupon.pk, redeemed=False, actor="staff:mei")
    drain_through()
    assert till_says(scene.coupon).state == "applied"
    assert (scene.fresh().redeemed_through, scene.order().state) == ("till", "undone")


@pytest.mark.parametrize("ended", ["refused", "undone", "undone_after_a_look"])
def test_what_is_tried_again_by_hand_never_spends_the_coupon_on_an_order_that_is_over(scene: Scene, ended: str) -> None:
    """Another order is open when staff retry the row of the first, and its call may have got through."""
    patience(scene, seconds=5)
    if ended == "refused":
        scene.dfire.fault(VERIFY, "refuse", code="002", message="x")
    else:
        scene.dfire.fault(VERIFY, "busy" if ended == "undone" else "drop_before", times=None)
    scene.redeem()
    if ended != "refused":
        silent_since(scene, LONG_AGO)
        assert open_redemptions.decide(scene.coupon.pk, redeemed=False, actor="staff:mei")
    drain_through()
    first, over = scene.row(), scene.order().state
    scene.dfire.fault(VERIFY, "drop_after")
    assert scene.redeem("o-2").status_code == 202
    second = scene.row()
    OutboxRow.objects.filter(pk=second.pk).update(state="dead")
    assert repair.retry([first]) == 1
    drain_through()
    first.refresh_from_db()
    assert (first.state, scene.order().state) == ("cancelled", over)
    repair.retry([second])
    drain_through()
    assert (scene.order("o-2").state, scene.spent()["order_id"]) == ("redeemed", "o-2")


def test_a_merchant_that_has_lost_its_account_leaves_it_to_staff(open_one: Scene) -> None:
    silent_since(open_one, LONG_AGO)
    merchant = open_one.coupon.merchant
    merchant.dfire_account = None
    merchant.save()
    assert open_redemptions.decide(open_one.coupon.pk, redeemed=False, actor="staff:mei")


def staff_of(scene: Scene, *permissions: str) -> Client:
    """Somebody who may see the merchant's coupons, in English."""
    user = User.objects.create_user("mei", is_staff=True)
    MerchantScope.objects.create(user=user).merchants.add(scene.coupon.merchant)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_issuedcoupon", *permissions]))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.mark.parametrize("redeemed", [True, False])
def test_staff_decide_on_the_coupons_page(open_one: Scene, redeemed: bool) -> None:
    client, coupon = staff_of(open_one, "decide_issuedcoupon"), open_one.coupon
    page = reverse("admin:coupons_issuedcoupon_change", args=[coupon.pk])
    assert "It was redeemed" not in client.get(page).content.decode(), "dfire is asked still"
    silent_since(open_one, LONG_AGO)
    html = client.get(page).content.decode()
    assert "It was redeemed" in html
    assert "It was not redeemed" in html
    assert "Order o-1 of partner app mini-program is redeeming it" in html
    name = "was_redeemed" if redeemed else "was_not_redeemed"
    address = reverse(f"admin:coupons_issuedcoupon_{name}", args=[coupon.pk])
    assert "Ask the shop first" in client.get(address).content.decode()
    assert IssuedCoupon.objects.get(pk=coupon.pk).status == "redeeming", "asking changes nothing"
    client.post(address, {"_form_submitted": "1"}, follow=True)
    assert IssuedCoupon.objects.get(pk=coupon.pk).status == ("redeemed" if redeemed else "issued")
    assert open_one.order().decided_by == "staff:mei"
    html = client.get(page).content.decode()
    assert "order o-1" in html
    assert "¥56 paid, ¥10 saved" in html


def test_orders_have_pages_for_those_who_may_see_the_merchant(open_one: Scene) -> None:
    client, order = staff_of(open_one, "view_partnerorder"), open_one.order()
    page = reverse("admin:integrations_partnerorder_change", args=[order.pk])
    for address in (reverse("admin:integrations_partnerorder_changelist"), page):
        with CaptureQueriesContext(connection) as asked:
            html = client.get(address).content.decode()
        by_index = '"integrations_partnerorder"."merchant_id" IN'
        assert any(by_index in query["sql"] for query in asked), "not by way of all coupons"
        assert all(words in html for words in ("o-1", "¥56", "¥10", "being redeemed", open_one.coupon.code))
    MerchantScope.objects.get(user__username="mei").merchants.clear()
    assert client.get(page).status_code in (302, 404)


def test_without_the_permission_or_the_merchant_nobody_decides(open_one: Scene) -> None:
    silent_since(open_one, LONG_AGO)
    client = staff_of(open_one)
    page = reverse("admin:coupons_issuedcoupon_change", args=[open_one.coupon.pk])
    assert "It was not redeemed" not in client.get(page).content.decode()
    address = reverse("admin:coupons_issuedcoupon_was_redeemed", args=[open_one.coupon.pk])
    assert client.post(address, {"_form_submitted": "1"}).status_code == 403
    user = User.objects.get(username="mei")
    user.user_permissions.add(Permission.objects.get(codename="decide_issuedcoupon"))
    MerchantScope.objects.get(user=user).merchants.clear()
    assert client.post(address, {"_form_submitted": "1"}).status_code == 404
    assert open_one.fresh().status == "redeeming"
