"""What failed on its way to dfire: seen, retried, given up."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from coupons.models import IssuedCoupon
from integrations.models import OutboxAttempt, OutboxRow
from integrations.outbox import repair
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import act, act_on_selected, action_of, list_of, page_of, said, trail_of
from tests.factories import issued, published


def test_a_failed_row_says_what_is_the_matter_and_what_to_do(lili: Client, world: World) -> None:
    html = lili.get(page_of(world.dead)).content.decode()
    assert "005 会员不存在" in html
    assert "Mend what its message names" in html


def test_a_waiting_row_says_what_it_waits_for(lili: Client, world: World) -> None:
    OutboxRow.objects.filter(pk=world.dead.pk).update(state="waiting", last_class="", last_message="openid_missing")
    assert "bind it, and the coupon goes out" in lili.get(list_of(OutboxRow)).content.decode()


def test_retry_queues_the_row_and_its_coupon(lili: Client, world: World) -> None:
    OutboxRow.objects.filter(pk=world.dead.pk).update(tries=7)
    assert act(lili, world.dead, "retry") == ["1 row: Queued again."]
    row = OutboxRow.objects.get(pk=world.dead.pk)
    assert (row.state, row.tries, row.phase, row.settled_at) == ("queued", 0, "send", None)
    assert IssuedCoupon.objects.get(pk=world.failed.pk).delivery == "queued"


def test_retry_leaves_a_row_that_has_not_failed(lili: Client, world: World) -> None:
    OutboxRow.objects.filter(pk=world.dead.pk).update(state="done")
    assert act(lili, world.dead, "retry")[0].startswith("1 left as they are")
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "done"


def test_give_up_and_retry_again(lili: Client, world: World) -> None:
    act(lili, world.dead, "cancel")
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "cancelled"
    act(lili, world.dead, "retry")
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "queued"


def test_retry_the_selected(lili: Client, world: World) -> None:
    other = OutboxRow.objects.get(coupon=world.coupon)
    response = act_on_selected(lili, [world.dead, other], "retry_selected")
    assert said(response)[0] == "1 row: Queued again."
    assert said(response)[1].startswith("1 left as they are")


def test_give_the_selected_up_asks_first(lili: Client, world: World) -> None:
    assert b"1 selected" in act_on_selected(lili, [world.dead], "cancel_selected").content
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "dead"
    act_on_selected(lili, [world.dead], "cancel_selected", confirmed="yes")
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "cancelled"


def test_a_row_of_a_deleted_template_still_opens(root: Client, world: World) -> None:
    row = OutboxRow.objects.filter(coupon=None).latest("pk")
    OutboxRow.objects.filter(pk=row.pk).update(template=999_999, version=None, details={"title": "旧券"})
    assert "旧券" in root.get(page_of(row)).content.decode()
    assert "旧券" in root.get(list_of(OutboxRow)).content.decode()


def fail(world: World, count: int, *, merchant: Any = None, code: str = "005", **fields: Any) -> list[OutboxRow]:
    """So many more deliveries that dfire refused."""
    template = published(merchant=merchant or world.own)
    rows = [OutboxRow.objects.get(coupon=issued(template)) for _ in range(count)]
    said = {"last_class": "permanent", "last_code": code, "last_message": "会员不存在", **fields}
    OutboxRow.objects.filter(pk__in=[row.pk for row in rows]).update(state="dead", **said)
    return rows


def test_failed_rows_are_counted_by_error_above_the_list(lili: Client, world: World) -> None:
    fail(world, 2)
    fail(world, 1, code="017", last_message="门店不存在")
    fail(world, 4, merchant=world.other)
    response = lili.get(list_of(OutboxRow))
    assert [(one["alike"].words, one["alike"].count) for one in response.context["outbox_errors"]] == [
        ("005 会员不存在", 3),
        ("017 门店不存在", 1),
    ]
    assert "Mend what its message names" in response.content.decode()
    shown = lili.get(list_of(OutboxRow), {"error": "permanent:017"}).context["cl"].result_list
    assert [row.last_code for row in shown] == ["017"]


def test_without_failures_there_is_no_panel(lili: Client, world: World) -> None:
    OutboxRow.objects.filter(pk=world.dead.pk).update(state="done")
    assert "Failed, by error" not in lili.get(list_of(OutboxRow)).content.decode()


def test_retry_all_of_an_error_says_how_many_and_asks_once(lili: Client, world: World) -> None:
    alike, other = fail(world, 2), fail(world, 1, code="017")
    theirs = fail(world, 1, merchant=world.other)
    address = "/admin/integrations/outboxrow/retry-alike/?error=permanent:005"
    assert lili.get(page_of(world.dead).replace("/change/", "/retry-alike/")).url == address.replace(":", "%3A")
    html = lili.get(address).content.decode()
    assert "3 selected" in html
    assert "005 会员不存在" in html
    assert OutboxRow.objects.filter(state="dead").count() == 5
    assert said(lili.post(address, {"confirmed": "yes"})) == ["3 rows: Queued again."]
    assert set(OutboxRow.objects.filter(pk__in=[row.pk for row in alike]).values_list("state", flat=True)) == {"queued"}
    assert {OutboxRow.objects.get(pk=row.pk).state for row in [*other, *theirs]} == {"dead"}
    assert said(lili.get(address))[-1] == "None of these is failed any more."


def test_retry_all_leaves_a_record_of_who_did_it(lili: Client, staff: User, world: World) -> None:
    fail(world, 2)
    lili.post("/admin/integrations/outboxrow/retry-alike/?error=permanent:005", {"confirmed": "yes"})
    ((who, words),) = trail_of(OutboxRow)
    assert who == staff.username
    assert "error=permanent:005" in words
    assert "Queued again: 3, left: 0" in words


def test_a_mobile_that_dfire_quotes_is_masked_for_everyone(root: Client, world: World) -> None:
    message = f"会员不存在 {MOBILE}"
    OutboxRow.objects.filter(pk=world.dead.pk).update(last_message=message)
    OutboxAttempt.objects.filter(row=world.dead).update(message=message, request={}, answer="")
    retry = "/admin/integrations/outboxrow/retry-alike/?error=permanent:005"
    lists = [list_of(OutboxRow), f"{list_of(OutboxRow)}export-csv/", list_of(OutboxAttempt), page_of(world.dead), retry]
    for address in lists:
        response = root.get(address)
        html = response.getvalue() if response.streaming else response.content
        assert b"139****5678" in html, address
        assert MOBILE.encode() not in html, address


def test_retry_all_stops_when_its_time_is_over_and_says_what_is_left(lili: Client, world: World) -> None:
    fail(world, 3)
    rows = OutboxRow.objects.filter(state="dead", last_code="005")
    assert repair.retry_all(rows, seconds=-1) == (0, 4)
    assert repair.retry_all(rows, seconds=60) == (4, 0)


@pytest.mark.parametrize("error", ["", "nonsense:005"])
def test_an_error_that_nobody_knows_has_no_page(lili: Client, error: str) -> None:
    assert lili.get(f"/admin/integrations/outboxrow/retry-alike/?error={error}").status_code == 404


def test_who_may_not_repair_cannot_retry_all(lili: Client, staff: User, world: World) -> None:
    staff.user_permissions.remove(*staff.user_permissions.filter(codename="change_outboxrow"))
    address = "/admin/integrations/outboxrow/retry-alike/?error=permanent:005"
    assert lili.post(address, {"confirmed": "yes"}).status_code == 403
    assert "retry-alike" not in lili.get(list_of(OutboxRow)).content.decode()
    assert OutboxRow.objects.get(pk=world.dead.pk).state == "dead"


def test_giving_up_says_what_it_means_for_the_coupon(lili: Client, world: World) -> None:
    html = lili.get(action_of(world.dead, "cancel")).content.decode()
    assert "the customer does not have it at dfire" in html


def test_a_coupon_whose_delivery_is_given_up_is_shown_as_not_delivered(lili: Client, world: World) -> None:
    IssuedCoupon.objects.filter(pk=world.failed.pk).update(delivery="queued")
    act(lili, world.dead, "cancel")
    coupon = IssuedCoupon.objects.get(pk=world.failed.pk)
    assert (coupon.status, coupon.delivery) == ("issued", "failed")
    assert act(lili, coupon, "resend") == ["Queued. The timeline shows what comes of it."]
    assert OutboxRow.objects.filter(coupon=coupon, state="queued").count() == 1


def test_who_gave_up_stands_in_the_log(lili: Client, world: World, staff: User) -> None:
    act(lili, world.dead, "cancel")
    assert trail_of(world.dead) == [(staff.username, "Given up.")]


def test_another_merchants_row_cannot_be_touched(lili: Client, world: World) -> None:
    OutboxRow.objects.filter(pk=world.other_row.pk).update(state="dead")
    for path in ("retry", "cancel", "retry-alike"):
        assert lili.post(action_of(world.other_row, path), {"_form_submitted": "1"}).status_code == 404
    assert OutboxRow.objects.get(pk=world.other_row.pk).state == "dead"
