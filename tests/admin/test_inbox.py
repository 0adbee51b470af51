"""What dfire told that fits nothing, or came too late: seen by whom it concerns, tried again, decided, remembered."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from coupons import lifecycle
from coupons.models import IssuedCoupon
from integrations.models import DfireCallback
from tests.admin.conftest import World, callback
from tests.admin.pages import act, act_on_selected, action_of, list_of, page_of, said, trail_of
from tests.factories import DfireAccountFactory

DISMISSED = {"decision": "dismissed", "reason": "顾客用的是别家的券"}


def revoked_and_redeemed(world: World) -> DfireCallback:
    """The till has given the discount of a coupon that had been revoked."""
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([world.coupon.pk])[0], reason="x", actor="staff:test")
    return callback(world.account, world.own.entity_id, world.coupon.code)


def again(entry: DfireCallback) -> DfireCallback:
    """The entry as it is now."""
    return DfireCallback.objects.get(pk=entry.pk)


def test_an_open_callback_says_what_to_do(lili: Client, world: World) -> None:
    assert "No coupon has this code yet" in lili.get(page_of(world.open_callback)).content.decode()


def test_try_again_while_nothing_fits(lili: Client, world: World) -> None:
    assert act(lili, world.open_callback, "try") == ["It still fits no coupon."]
    assert again(world.open_callback).state == "unknown_coupon"


def test_try_again_redeems_what_fits_now(lili: Client, world: World) -> None:
    DfireCallback.objects.filter(pk=world.open_callback.pk).update(code=world.coupon.code)
    assert act(lili, world.open_callback, "try") == ["Applied."]
    assert IssuedCoupon.objects.get(pk=world.coupon.pk).status == "redeemed"


def test_dismiss_keeps_who_decided_what_and_why(lili: Client, world: World) -> None:
    words = act(lili, world.open_callback, "dismiss", reason=DISMISSED["reason"])
    assert words == ["Settled: not a coupon of ours."]
    entry = again(world.open_callback)
    assert (entry.state, entry.decision, entry.decided_by, entry.note) == (
        *("settled", "dismissed", "staff:lili"),
        DISMISSED["reason"],
    )
    assert entry.problem == "unknown_coupon", "what it was about is still known"
    html = lili.get(page_of(entry)).content.decode()
    assert DISMISSED["reason"] in html
    assert "staff lili" in html
    assert trail_of(entry) == [("lili", f"not a coupon of ours {DISMISSED['reason']}")]
    assert act(lili, entry, "dismiss", reason="x") == ["It had been settled already."]


def test_without_a_reason_nothing_is_decided(lili: Client, world: World) -> None:
    response = lili.post(action_of(world.open_callback, "dismiss"), {"_form_submitted": "1", "reason": " "})
    assert response.status_code == 200
    assert again(world.open_callback).state == "unknown_coupon"


def test_apply_to_a_coupon_that_staff_name(lili: Client, world: World) -> None:
    named = {"code": world.coupon.code, "reason": "收银员输错了一位"}
    assert act(lili, world.open_callback, "apply", **named) == [f"Coupon {world.coupon.code} is redeemed."]
    entry, coupon = again(world.open_callback), IssuedCoupon.objects.get(pk=world.coupon.pk)
    assert (coupon.status, coupon.redeemed_at) == ("redeemed", entry.sent_at)
    assert (entry.state, entry.decision, entry.decided_by, entry.coupon) == (
        *("settled", "applied", "staff:lili"),
        coupon,
    )
    event = coupon.events.get(kind="redeemed")
    assert (event.data["callback"], event.data["decided_by"]) == (entry.pk, "staff:lili")
    assert "staff lili" in lili.get(page_of(coupon)).content.decode()
    assert act(lili, entry, "apply", **named) == ["It had been settled already."]


def test_apply_to_a_redeemed_coupon_changes_nothing_and_says_so(lili: Client, world: World) -> None:
    callback(world.account, world.own.entity_id, world.coupon.code)
    before = IssuedCoupon.objects.get(pk=world.coupon.pk).redeemed_at
    words = act(lili, world.open_callback, "apply", code=world.coupon.code, reason="x")
    assert words == ["The coupon had been redeemed before; it stays as it was."]
    assert IssuedCoupon.objects.get(pk=world.coupon.pk).redeemed_at == before


def test_apply_to_another_merchants_coupon_is_refused(lili: Client, world: World) -> None:
    address = page_of(world.open_callback).replace("/change/", "/apply/")
    form = {"_form_submitted": "1", "code": world.other_coupon.code, "reason": "x"}
    assert "No coupon of your merchants has this code." in lili.post(address, form).content.decode()
    assert IssuedCoupon.objects.get(pk=world.other_coupon.pk).status == "issued"


def test_a_late_redemption_is_listed_until_someone_has_decided(lili: Client, world: World) -> None:
    entry = revoked_and_redeemed(world)
    html = lili.get(f"{list_of(DfireCallback)}?open=yes").content.decode()
    assert "redeemed after it was revoked" in html
    assert "Accept the discount." in html
    assert act(lili, entry, "accept", reason="客人已享用") == ["Settled: the discount is accepted."]
    assert world.coupon.code not in lili.get(f"{list_of(DfireCallback)}?open=yes").content.decode()
    assert IssuedCoupon.objects.get(pk=world.coupon.pk).status == "redeemed"


@pytest.mark.parametrize(("path", "decision"), [("accept", "accepted"), ("ask", "asked"), ("dismiss", "dismissed")])
def test_each_decision_has_its_button(lili: Client, world: World, path: str, decision: str) -> None:
    act(lili, world.open_callback, path, reason="已与门店核对")
    entry = again(world.open_callback)
    assert (entry.state, entry.decision, entry.note, entry.coupon) == ("settled", decision, "已与门店核对", None)


def test_the_suggested_decision_stands_out(lili: Client, world: World) -> None:
    late = revoked_and_redeemed(world)
    DfireCallback.objects.filter(pk=world.open_callback.pk).update(suggestion="not_ours")
    standing_out = {
        row: [
            one["path"] for one in lili.get(page_of(row)).context["actions_detail"] if one["variant"].value == "primary"
        ]
        for row in (late, world.open_callback)
    }
    assert standing_out == {
        late: [action_of(late, "accept")],
        world.open_callback: [action_of(world.open_callback, "dismiss")],
    }


def test_the_buttons_are_those_that_make_sense(lili: Client, world: World) -> None:
    def offered(row: DfireCallback) -> list[str]:
        html = lili.get(page_of(row)).content.decode()
        return [path for path in ("try", "apply", "accept", "ask", "dismiss") if action_of(row, path) in html]

    entry = revoked_and_redeemed(world)
    assert offered(world.open_callback) == ["try", "apply", "accept", "ask", "dismiss"]
    assert offered(entry) == ["accept", "ask"], "it is a coupon of ours, and redeemed already"
    act(lili, entry, "ask", reason="x")
    assert offered(entry) == []


def test_filter_by_what_is_suggested(lili: Client, world: World) -> None:
    late = revoked_and_redeemed(world)
    shown = lili.get(list_of(DfireCallback), {"suggestion": "accept"}).context["cl"].result_list
    assert [entry.pk for entry in shown] == [late.pk]


def test_settle_the_selected_asks_first_and_takes_one_decision_for_all(lili: Client, world: World) -> None:
    more = callback(world.account, world.own.entity_id, "8888777766665555")
    rows = [world.open_callback, more]
    assert b"2 selected" in act_on_selected(lili, rows, "settle_selected").content
    unsaid = act_on_selected(lili, rows, "settle_selected", confirmed="yes", _form_submitted="1")
    assert unsaid.status_code == 200
    assert {again(row).state for row in rows} == {"unknown_coupon"}
    decided = {"confirmed": "yes", "_form_submitted": "1", **DISMISSED}
    assert said(act_on_selected(lili, rows, "settle_selected", **decided)) == ["2 settled."]
    assert {(again(row).decided_by, again(row).note) for row in rows} == {("staff:lili", DISMISSED["reason"])}
    assert [len(trail_of(row)) for row in rows] == [1, 1]


def test_try_the_selected(lili: Client, world: World) -> None:
    DfireCallback.objects.filter(pk=world.open_callback.pk).update(code=world.coupon.code)
    act_on_selected(lili, [world.open_callback], "try_selected")
    assert again(world.open_callback).state == "applied"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("open=yes", 2),
        ("open=no", 1),
        ("state__exact=applied", 1),
        ("state__exact=review", 1),
        ("problem__exact=unknown_coupon", 1),
        ("problem__exact=after_revoke", 1),
        ("problem__exact=after_expiry", 0),
    ],
)
def test_filters_of_the_inbox(lili: Client, world: World, query: str, count: int) -> None:
    revoked_and_redeemed(world)
    callback(world.account, world.own.entity_id, world.failed.code)
    assert len(lili.get(f"{list_of(DfireCallback)}?{query}").context["cl"].result_list) == count


def test_the_filter_by_merchant(root: Client, world: World) -> None:
    shown = root.get(f"{list_of(DfireCallback)}?merchant__id__exact={world.other.pk}").context["cl"].result_list
    assert list(shown) == [world.other_callback]


def test_what_belongs_to_no_merchant_is_the_administrators(root: Client, lili: Client, world: World) -> None:
    strays = [
        callback(world.account, "99999999", "7777666655554444"),
        callback(world.account, "", "7777666655554445"),
        callback(DfireAccountFactory(), world.own.entity_id, "7777666655554446"),  # that account is not the merchant's
    ]
    for stray in strays:
        assert root.get(page_of(stray)).status_code == 200
        assert lili.get(page_of(stray)).status_code in (302, 404)
        assert stray.code not in lili.get(list_of(DfireCallback)).content.decode()


def test_a_redemption_of_a_coupon_is_seen_by_its_merchants_staff_whatever_shop_it_names(
    lili: Client, world: World
) -> None:
    theirs = callback(world.account, world.own.entity_id, world.other_coupon.code)
    ours = callback(world.account, world.other.entity_id, world.coupon.code)
    assert lili.get(page_of(theirs)).status_code in (302, 404)
    assert lili.get(page_of(ours)).status_code == 200


def test_another_accounts_claim_can_be_applied_by_hand(lili: Client, world: World) -> None:
    claim = callback(DfireAccountFactory(), "", world.coupon.code)
    assert again(claim).state == "other_account"
    html = lili.get(page_of(claim).replace("/change/", "/apply/")).content.decode()
    assert world.coupon.code in html, "the dialog begins with the coupon of that code"
    act(lili, claim, "apply", code=world.coupon.code, reason="门店确认")
    assert IssuedCoupon.objects.get(pk=world.coupon.pk).status == "redeemed"


def test_a_callback_that_has_waited_for_long_is_probably_not_ours(lili: Client, world: World) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    DfireCallback.objects.filter(pk=world.open_callback.pk).update(received_at=long_ago)
    act(lili, world.open_callback, "try")
    assert "Dismiss it, unless the shop says otherwise." in lili.get(page_of(world.open_callback)).content.decode()


def test_who_may_not_settle_has_no_buttons(lili: Client, staff: Any, world: World) -> None:
    staff.user_permissions.remove(*staff.user_permissions.filter(codename="change_dfirecallback"))
    address = action_of(world.open_callback, "dismiss")
    assert address not in lili.get(page_of(world.open_callback)).content.decode()
    assert lili.post(address, {"_form_submitted": "1", **DISMISSED}).status_code == 403
    assert again(world.open_callback).state == "unknown_coupon"
