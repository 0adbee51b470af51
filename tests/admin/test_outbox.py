"""What failed on its way to dfire: seen, retried, given up."""

from django.test import Client

from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from tests.admin.conftest import World
from tests.admin.pages import act, act_on_selected, list_of, page_of, said


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
