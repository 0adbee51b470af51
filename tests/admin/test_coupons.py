"""Issued coupons: found, read in one timeline, revoked, sent again; nothing is edited."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from coupons import lifecycle
from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import act, act_on_selected, add_of, list_of, page_of, said


def status_of(coupon: IssuedCoupon) -> str:
    return IssuedCoupon.objects.get(pk=coupon.pk).status


def found(client: Client, term: str) -> set[int]:
    return {coupon.pk for coupon in client.get(list_of(IssuedCoupon), {"q": term}).context["cl"].result_list}


def test_nobody_adds_or_edits_one_by_hand(root: Client, world: World) -> None:
    assert root.get(add_of(IssuedCoupon)).status_code == 403
    assert root.post(page_of(world.coupon), {"status": "redeemed"}).status_code == 403


def test_search_by_code_its_beginning_mobile_identifier_and_openid(lili: Client, world: World) -> None:
    for term in (world.coupon.code, world.coupon.code[:10], MOBILE, world.coupon.customer.openid):
        assert found(lili, term) == {world.coupon.pk}, term
    assert found(lili, world.coupon.code[3:]) == set()


def test_the_page_shows_terms_and_one_timeline(root: Client, world: World) -> None:
    page = root.get(page_of(world.failed))
    titles = [str(entry.title) for entry in page.context["timeline"]]
    assert "deliver a coupon · send" in titles
    assert "To tell dfire: deliver a coupon" in titles
    assert {"issued", "delivery failed"} <= set(titles)
    times = [entry.at for entry in page.context["timeline"]]
    assert times == sorted(times)
    html = page.content.decode()
    assert "会员不存在" in html
    assert "from ¥50" in html


def test_pushes_and_callbacks_stand_on_the_timeline(root: Client, world: World) -> None:
    from tests.admin.conftest import callback

    callback(world.account, "10000001", world.coupon.code)
    titles = [str(entry.title) for entry in root.get(page_of(world.coupon)).context["timeline"]]
    assert {"Push", "Callback from dfire", "redeemed"} <= set(titles)


def test_mobiles_are_masked_for_whoever_may_not_see_them(lili: Client, world: World) -> None:
    for row in (world.coupon, world.failed, world.dead, world.open_callback, world.coupon.customer):
        html = lili.get(page_of(row)).content.decode()
        assert MOBILE not in html, row
        assert row == world.failed or "139****5678" in html or row == world.dead


def test_mobiles_are_whole_for_whoever_may_see_them(lili: Client, staff: User, world: World) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_full_mobile"))
    for row in (world.coupon, world.dead, world.coupon.customer):
        assert MOBILE in lili.get(page_of(row)).content.decode(), row


def test_lists_mask_mobiles_for_everyone(root: Client, world: World) -> None:
    for model in (IssuedCoupon, type(world.coupon.customer)):
        assert MOBILE not in root.get(list_of(model)).content.decode()


def test_revoke_with_a_reason(lili: Client, world: World) -> None:
    assert act(lili, world.coupon, "revoke", reason="发错了") == ["Revoked."]
    assert status_of(world.coupon) == "revoked"
    event = world.coupon.events.get(kind="revoked")
    assert (event.actor, event.data) == ("staff:lili", {"reason": "发错了"})


def test_revoke_needs_a_reason(lili: Client, world: World) -> None:
    response = lili.post(page_of(world.coupon).replace("change", "revoke"), {"_form_submitted": "1", "reason": ""})
    assert response.status_code == 200
    assert status_of(world.coupon) == "issued"


def test_a_redeemed_coupon_is_not_revoked_and_the_page_says_why(lili: Client, world: World) -> None:
    redeem(world.coupon)
    assert act(lili, world.coupon, "revoke", reason="x") == ["The coupon has been redeemed."]
    assert status_of(world.coupon) == "redeemed"


def test_revoke_the_selected_asks_why_and_counts(lili: Client, world: World) -> None:
    redeem(world.coupon)
    rows = [world.coupon, world.failed]
    asked = act_on_selected(lili, rows, "revoke_selected")
    assert b"2 selected" in asked.content
    without_reason = act_on_selected(lili, rows, "revoke_selected", confirmed="yes", _form_submitted="1", reason="")
    assert without_reason.status_code == 200
    assert status_of(world.failed) == "issued"
    response = act_on_selected(lili, rows, "revoke_selected", confirmed="yes", _form_submitted="1", reason="活动取消")
    assert said(response) == ["1 not done: The coupon has been redeemed.", "1 coupon revoked."]
    assert status_of(world.failed) == "revoked"


def test_resend_queues_a_failed_delivery(lili: Client, world: World) -> None:
    act(lili, world.failed, "resend")
    assert IssuedCoupon.objects.get(pk=world.failed.pk).delivery == "queued"
    assert OutboxRow.objects.filter(coupon=world.failed, kind="deliver", state="queued").count() == 1


def test_resend_of_a_revoked_coupon_is_refused(lili: Client, world: World) -> None:
    act(lili, world.failed, "revoke", reason="x")
    assert act(lili, world.failed, "resend") == ["The coupon has been revoked."]


def test_transfer_names_both_hands_masked(lili: Client, world: World) -> None:
    assert act(lili, world.coupon, "transfer", customer="13900001234") == [
        "Transferred. The timeline shows how far dfire is."
    ]
    coupon = IssuedCoupon.objects.get(pk=world.coupon.pk)
    assert (coupon.customer.identifier, coupon.delivery) == ("13900001234", "queued")
    html = lili.get(page_of(coupon)).content.decode()
    assert "139****1234" in html
    assert MOBILE not in html


def test_a_transfer_that_is_refused_leaves_no_customer_behind(lili: Client, world: World) -> None:
    redeem(world.coupon)
    response = lili.post(
        page_of(world.coupon).replace("change", "transfer"), {"_form_submitted": "1", "customer": "13900001234"}
    )
    assert "The coupon has been redeemed." in response.content.decode()
    assert not world.coupon.merchant.customers.filter(identifier="13900001234").exists()


def test_only_what_can_be_done_is_offered(lili: Client, world: World) -> None:
    def offered(coupon: Any) -> set[str]:
        return {str(one["title"]) for one in lili.get(page_of(coupon)).context["actions_detail"]}

    always = {"Why can it not be used?"}
    assert offered(world.failed) == always | {"Revoke", "Transfer", "Send again"}
    redeem(world.failed)
    assert offered(world.failed) == always | {"Reissue"}


def test_a_flagged_coupon_says_why(lili: Client, world: World) -> None:
    act(lili, world.coupon, "revoke", reason="x")
    redeem(world.coupon)
    assert "A till redeemed it after it had been revoked" in lili.get(page_of(world.coupon)).content.decode()
    flagged = lili.get(list_of(IssuedCoupon), {"flagged": "yes"}).context["cl"].result_list
    assert [coupon.pk for coupon in flagged] == [world.coupon.pk]


@pytest.mark.parametrize("day_format", ["%Y-%m-%d", "%Y/%m/%d"])
def test_the_filter_by_days_reads_both_ways_of_writing(
    browser: Any, staff: User, world: World, day_format: str
) -> None:
    client = browser(staff, "zh-hans")
    today = timezone.localdate().strftime(day_format)
    shown = client.get(list_of(IssuedCoupon), {"issued_at_from": today, "issued_at_to": today}).context["cl"]
    assert len(shown.result_list) == 2
    none = client.get(list_of(IssuedCoupon), {"issued_at_to": "2020-01-01"}).context["cl"]
    assert len(none.result_list) == 0


def redeem(coupon: IssuedCoupon) -> None:
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now())
