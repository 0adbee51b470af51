"""What becomes of an order when dfire is slow, silent, unclear or says no; and when a till was first."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons import lifecycle
from coupons.models import DayFigures, IssuedCoupon
from integrations import inbox
from integrations.inbox import Redemption
from integrations.models import AccountState, DfireCallback, OutboxRow
from integrations.outbox import engine, settling
from integrations.outbox.calling import perform
from integrations.outbox.claiming import Claimed, claim, claim_this
from tests.api.caller import refused
from tests.api.redeeming import VERIFY, Scene, figures
from tests.factories import ShopFactory, issued
from tests.outbox.dfire import ASK_CUSTOMER
from tests.outbox.helpers import drain_through, leases_run_out, time_passes

pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN_AFTER = ["drop_after", "http_500_after", "garbage_after", "truncated_after", "empty_after"]


def till_says(coupon: IssuedCoupon, *, at: datetime | None = None, shop: str = "") -> DfireCallback:
    """A callback from the till."""
    account = coupon.merchant.dfire_account
    assert account is not None
    at = at or datetime.now(UTC)
    told = {"thirdDeliverCode": coupon.code, "timestamp": str(at), "entityId": shop}
    said = Redemption(code=coupon.code, promotion_id="", entity_id=shop, sent_at=at, parameters=told)
    return inbox.take(account, said)


def patience(scene: Scene, *, seconds: int) -> None:
    """So long the account waits for an answer, and twice as long before it asks what became of a call."""
    account = scene.coupon.merchant.dfire_account
    assert account is not None
    account.timeout_seconds = seconds
    account.save()


@pytest.mark.parametrize("fault", UNKNOWN_AFTER)
def test_a_lost_answer_is_asked_about_and_concluded_to_be_ours(scene: Scene, fault: str) -> None:
    scene.dfire.fault(VERIFY, fault)
    answer = scene.redeem()
    assert (answer.status_code, answer.json()["status"]) == (202, "redeeming")
    drain_through()
    again = scene.redeem()
    assert (again.status_code, again.json()["status"]) == (200, "redeemed")
    assert (scene.order().inferred, scene.fresh().redeemed_through) == (True, "api")
    assert scene.fresh().events.get(kind="redeemed").data["inferred"] is True
    assert (len(scene.dfire.calls(VERIFY)), scene.spent()["verified"]) == (1, 1)
    assert figures()["saved_fen"] == 1000


@pytest.mark.parametrize("fault", ["drop_before", "http_500", "garbage", "html_502"])
def test_what_never_happened_is_sent_again(scene: Scene, fault: str) -> None:
    scene.dfire.fault(VERIFY, fault)
    assert scene.redeem().status_code == 202
    drain_through()
    assert scene.redeem().status_code == 200
    assert (len(scene.dfire.calls(VERIFY)), scene.spent()["verified"], scene.order().inferred) == (2, 1, False)


def test_a_busy_dfire_is_tried_again_within_the_time(scene: Scene) -> None:
    scene.dfire.fault(VERIFY, "busy")
    assert scene.redeem().status_code == 200
    assert scene.spent()["verified"] == 1


def test_two_seconds_are_waited_at_most(scene: Scene) -> None:
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "latency_after", latency_ms=3000)
    began = time.monotonic()
    answer = scene.redeem()
    assert 1.9 < time.monotonic() - began < 2.8
    assert (answer.status_code, answer.json()["status"]) == (202, "redeeming")
    while OutboxRow.objects.filter(pk=scene.row().pk, state="sending").exists():
        time.sleep(0.1)  # the thread that made the call settles it, although nobody waits for it any more
    assert (scene.redeem().status_code, len(scene.dfire.calls(VERIFY))) == (200, 1)


def test_while_it_is_open_nobody_else_gets_the_coupon(scene: Scene) -> None:
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_after")
    scene.redeem()
    path = f"coupons/{scene.coupon.code}"
    assert refused(scene.redeem("o-2")) == (409, "redeeming", None)
    assert refused(scene.api.post(f"{path}/revoke/", {"reason": "x"})) == (409, "redeeming", None)
    assert refused(scene.api.post(f"{path}/transfer/", {"to_identifier": "m"})) == (409, "redeeming", None)
    assert refused(scene.redeem(paid_fen=1)) == (422, "order_id_reused", "paid_fen")
    assert scene.redeem().status_code == 202
    checked = scene.api.post(f"{path}/check/", {}).json()
    assert [reason["code"] for reason in checked["reasons"]] == ["redeeming"]


def test_it_does_not_expire_meanwhile_but_afterwards(scene: Scene) -> None:
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_before")
    scene.redeem()
    over = timezone.now() - timedelta(minutes=1)
    IssuedCoupon.objects.filter(pk=scene.coupon.pk).update(valid_from=over, valid_until=over)
    assert (lifecycle.expire_due(), scene.redeem().json()["status"]) == (0, "redeeming")
    scene.dfire.fault(VERIFY, "refuse", code="018", message="不在有效期内")
    drain_through()
    assert refused(scene.redeem()) == (409, "dfire_refused", None)
    assert scene.api.get(f"coupons/{scene.coupon.code}/").json()["status"] == "expired"
    assert (lifecycle.expire_due(), scene.fresh().status) == (1, "expired")
    assert figures()["expired"] == 1


def test_a_refusal_is_told_in_dfires_words_and_frees_the_coupon(scene: Scene) -> None:
    before, holder = figures(), scene.coupon.customer
    scene.dfire.fault(VERIFY, "refuse", code="002", message=f"手机号{holder.mobile}无效 {holder.openid}")
    answer = scene.redeem()
    assert refused(answer) == (409, "dfire_refused", None)
    [error] = answer.json()["errors"]
    assert "002 手机号***无效 ***" in error["detail"]
    assert scene.fresh().status == "issued"
    assert figures() == before
    assert refused(scene.redeem()) == (409, "dfire_refused", None), "the order is remembered"
    assert len(scene.dfire.calls(VERIFY)) == 1
    assert scene.redeem("o-2").status_code == 200, "another one may try"
    assert scene.spent()["order_id"] == "o-2"
    assert figures()["redeemed"] == 1
    assert refused(scene.redeem()) == (409, "dfire_refused", None)


def test_a_till_that_was_first_wins(scene: Scene) -> None:
    scene.dfire.redeem(scene.coupon.code)
    assert refused(scene.redeem()) == (409, "already_redeemed", None)
    assert (scene.fresh().status, scene.fresh().redeemed_through) == ("redeemed", "till")
    assert scene.order().state == "lost"
    assert refused(scene.redeem()) == (409, "already_redeemed", None)
    assert scene.spent()["verified"] == 0
    assert figures()["redeemed"] == 1
    callback = till_says(scene.coupon)
    assert (callback.state, scene.order().state) == ("repeated", "lost")


def test_the_first_callback_of_a_till_seen_in_the_list_says_in_which_shop(scene: Scene) -> None:
    shops = [ShopFactory(merchant=scene.coupon.merchant) for _ in range(2)]
    scene.dfire.redeem(scene.coupon.code)
    scene.redeem()
    seen_at = scene.fresh().redeemed_at
    assert (scene.order().state, scene.fresh().redeemed_shop) == ("lost", None)
    for shop in shops:
        callback = till_says(scene.coupon, at=datetime.now(UTC) - timedelta(hours=1), shop=shop.entity_id)
        assert (callback.state, scene.fresh().redeemed_shop, scene.fresh().redeemed_at) == (
            "repeated",
            shops[0],
            seen_at,
        )
    assert figures()["redeemed"] == 1
    by_shop = DayFigures.objects.values("shop").annotate(count=Sum("redeemed")).filter(count__gt=0)
    assert list(by_shop) == [{"shop": shops[0].pk, "count": 1}]


def test_a_callback_of_a_till_that_was_first_says_when(scene: Scene) -> None:
    """Told while our call was under way, so that it might have been the call's echo."""
    scene.dfire.redeem(scene.coupon.code)
    scene.dfire.fault(VERIFY, "busy", times=None)
    scene.redeem()
    [job] = (claim_this(_due(scene).pk) or claim(0, 0)).jobs
    at = datetime.now(UTC) - timedelta(minutes=3)
    callback = till_says(scene.coupon, at=at)
    assert (callback.state, scene.fresh().status) == ("waits", "redeeming")
    scene.dfire.behave()
    settling.settle(job, perform(job))
    drain_through()
    callback.refresh_from_db()
    assert (callback.state, scene.order().state) == ("applied", "lost")
    assert (scene.fresh().redeemed_at, scene.fresh().redeemed_through) == (at, "till")


@pytest.mark.parametrize("ends", ["busy", "refuse"])
def test_a_callback_need_not_wait_for_a_call_that_had_no_effect(scene: Scene, settings: Any, ends: str) -> None:
    """Not even where the account answers no more, nor where a second one came meanwhile."""
    settings.PUSH_CONFIRM_AT_ONCE = 0
    scene.redeem()
    [job] = (claim_this(_due(scene).pk) or claim(0, 0)).jobs
    at = datetime.now(UTC) - timedelta(minutes=3)
    callbacks = [till_says(scene.coupon, at=at), till_says(scene.coupon)]
    assert [callback.state for callback in callbacks] == ["waits", "waits"]
    scene.dfire.fault(VERIFY, ends)
    settling.settle(job, perform(job))
    states = DfireCallback.objects.filter(coupon=scene.coupon).order_by("pk").values_list("state", flat=True)
    assert (list(states), scene.order().state, scene.row().state) == (["applied", "repeated"], "lost", "cancelled")
    assert (scene.fresh().redeemed_at, scene.fresh().redeemed_through) == (at, "till")
    assert scene.fresh().events.filter(kind="redeemed").count() == 1


def test_a_redemption_that_a_till_is_known_for_settles_every_callback(scene: Scene, settings: Any) -> None:
    settings.PUSH_CONFIRM_AT_ONCE = 0
    scene.redeem()
    assert claim_this(_due(scene).pk)
    callback = till_says(scene.coupon)
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([scene.coupon.pk])[0], at=timezone.now())
    callback.refresh_from_db()
    assert (callback.state, scene.order().state) == ("repeated", "lost")


def test_a_callback_before_anything_was_sent_is_the_tills(scene: Scene) -> None:
    AccountState.objects.update(stopped_at=timezone.now(), probe_at=timezone.now() + timedelta(hours=1))
    began = time.monotonic()
    assert scene.redeem().status_code == 202
    assert time.monotonic() - began < 1, "nobody waits for an account that is stopped"
    assert till_says(scene.coupon).state == "applied"
    assert (scene.order().state, scene.row().state) == ("lost", "cancelled")
    assert refused(scene.redeem()) == (409, "already_redeemed", None)


@pytest.mark.parametrize("fault", ["", "drop_after"])
def test_a_callback_that_echoes_our_own_call_changes_nothing(scene: Scene, fault: str) -> None:
    scene.dfire.fault(VERIFY, fault or "latency_after", latency_ms=0)
    answer = scene.redeem()
    callback = till_says(scene.coupon)
    assert (answer.status_code, callback.state) == ((202, "waits") if fault else (200, "repeated"))
    drain_through()
    callback.refresh_from_db()
    assert (callback.state, scene.order().state, scene.fresh().redeemed_through) == ("repeated", "redeemed", "api")
    assert scene.fresh().flag == ("redeemed_by_two" if fault else "")


def test_used_by_a_till_after_a_call_of_ours_that_got_lost_is_taken_for_ours(scene: Scene) -> None:
    scene.dfire.fault(VERIFY, "drop_before")
    scene.redeem()
    scene.dfire.redeem(scene.coupon.code)
    drain_through()
    assert (scene.order().state, scene.order().inferred) == ("redeemed", True)
    assert scene.redeem().status_code == 200


def test_without_a_place_to_wait_it_is_settled_behind(scene: Scene, settings: Any) -> None:
    settings.PUSH_CONFIRM_AT_ONCE = 0
    assert scene.redeem().status_code == 202
    assert not scene.dfire.calls(VERIFY)
    engine.drain()
    assert scene.redeem().status_code == 200


def test_it_goes_before_many_deliveries(scene: Scene, settings: Any) -> None:
    settings.PUSH_CONFIRM_AT_ONCE = 0
    for _ in range(5):
        issued(scene.template)
    scene.redeem()
    [job] = claim(scene.coupon.merchant.dfire_account_id or 0, 1).jobs
    assert job.kind == "verify"


def test_behind_an_earlier_row_nobody_waits_nor_locks_the_account(scene: Scene) -> None:
    OutboxRow.objects.filter(coupon=scene.coupon, kind="deliver").update(state="waiting")
    began = time.monotonic()
    assert scene.redeem().status_code == 202
    assert time.monotonic() - began < 1.5
    with CaptureQueriesContext(connection) as asked:
        assert claim_this(scene.row().pk) is None
        OutboxRow.objects.filter(coupon=scene.coupon, kind="deliver").update(state="done")
        OutboxRow.objects.filter(pk=scene.row().pk).update(available_at=timezone.now() + timedelta(seconds=1))
        assert claim_this(scene.row().pk) == Claimed([], [])
        AccountState.objects.update(stopped_at=timezone.now(), probe_at=timezone.now() + timedelta(hours=1))
        assert claim_this(scene.row().pk) is None
    assert not [query for query in asked.captured_queries if "accountstate" in query["sql"] and "FOR" in query["sql"]]


def test_with_a_key_a_redeeming_is_not_the_last_word(scene: Scene) -> None:
    key = {"idempotency_key": "k"}
    patience(scene, seconds=5)
    scene.dfire.fault(VERIFY, "drop_after")
    assert [scene.redeem(headers=key).status_code for _ in range(2)] == [202, 202]
    drain_through()
    said = [scene.redeem(headers=key) for _ in range(2)]
    assert [answer.status_code for answer in said] == [200, 200]
    assert said[0].content == said[1].content


def test_the_web_and_a_worker_never_send_the_same_row(scene: Scene, at_once: Any) -> None:
    def act(number: int) -> Any:
        return scene.redeem() if number < 3 else engine.drain()

    at_once(act, 6)
    drain_through()
    assert (len(scene.dfire.calls(VERIFY)), scene.redeem().status_code) == (1, 200)


def test_a_web_process_that_dies_in_the_call_leaves_it_to_the_worker(scene: Scene, settings: Any) -> None:
    settings.PUSH_CONFIRM_AT_ONCE = 0
    scene.redeem()
    [job] = (claim_this(scene.row().pk) or claim(0, 0)).jobs
    perform(job)  # and nobody settles it
    leases_run_out()
    drain_through()
    assert (scene.redeem().status_code, scene.order().inferred, len(scene.dfire.calls(VERIFY))) == (200, True, 1)


def test_a_list_that_does_not_show_the_coupon_is_asked_twice(scene: Scene) -> None:
    scene.dfire.fault(VERIFY, "drop_before")
    scene.redeem()
    scene.dfire.lose(scene.coupon.code)
    drain_through()
    assert (len(scene.dfire.calls(ASK_CUSTOMER)) >= 2, scene.row().state) == (True, "dead")
    assert (scene.fresh().status, scene.fresh().flag) == ("redeeming", "redeeming_undecided")


def _due(scene: Scene) -> OutboxRow:
    time_passes()
    return scene.row()
