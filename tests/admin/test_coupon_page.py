"""One coupon's page: codes that scan, what to know now, links between replaced coupons, one timeline by days."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
import segno
from barcode.charsets.code128 import CODES, STOP
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.utils import timezone

from coupons import lifecycle
from coupons.admin.drawing import bar_code, in_groups, qr_code
from coupons.choices import BatchKind, EventKind
from coupons.errors import Reason
from coupons.models import Batch, CouponEvent, IssuedCoupon, Reissue
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox.queue import put, row_for
from merchants.clock import SHANGHAI, day_end, local_day
from merchants.models import Customer
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import act, action_of, page_of
from tests.factories import CustomerFactory, issued

CODE = "2319548668265420"


def redeem(coupon: IssuedCoupon, **told: Any) -> None:
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], **{"at": timezone.now(), **told})


def html_of(client: Client, coupon: IssuedCoupon) -> str:
    return client.get(page_of(coupon)).content.decode()


def offered(client: Client, coupon: IssuedCoupon) -> set[str]:
    titles = {str(one["title"]) for one in client.get(page_of(coupon)).context["actions_detail"]}
    return titles - {"Why can it not be used?"}  # always there


def reissue(client: Client, coupon: IssuedCoupon, **fields: Any) -> list[str]:
    until = lifecycle.end_of_replacement(IssuedCoupon.objects.get(pk=coupon.pk), timezone.now())
    return act(client, coupon, "reissue", **{"reason": "订单取消", "valid_until": str(local_day(until)), **fields})


def test_the_qr_code_is_the_codes_own() -> None:
    dark = set()
    for y, line in enumerate(_rows(qr_code(CODE))):
        dark |= {(x, y) for x in line}
    matrix = segno.make(CODE, error="m", micro=False).matrix
    border = 4
    assert dark == {(x + border, y + border) for y, row in enumerate(matrix) for x, bit in enumerate(row) if bit}


def test_the_barcode_reads_as_the_code() -> None:
    drawn = re.search(r' d="([^"]+)"', bar_code(CODE))
    assert drawn is not None
    bars = [(int(at), int(width)) for at, width in re.findall(r"M(\d+) 0h(\d+)", drawn[1])]
    first, end = bars[0][0], sum(bars[-1])
    modules = ["0"] * (end - first)
    for at, width in bars:
        modules[at - first : at - first + width] = "1" * width
    symbols = ["".join(modules[start : start + 11]) for start in range(0, len(modules) - 2, 11)]
    start, *pairs, check, stop = [[*CODES, STOP].index(symbol) for symbol in symbols]
    assert "".join(f"{pair:02}" for pair in pairs) == CODE
    assert check == (start + sum(place * value for place, value in enumerate(pairs, 1))) % 103
    assert first >= 10  # the quiet zone
    assert (start, stop) == (105, 106)


def _rows(svg: str) -> list[list[int]]:
    """The dark modules of each line, from the strokes that segno draws."""
    path = re.search(r' d="M(\d+) (\d+)\.5([^"]+)"', svg)
    assert path is not None
    x, y = int(path[1]), int(path[2])
    rows: list[list[int]] = [[] for _ in range(y + 1)]
    for command, numbers in re.findall(r"([hm])([-\d. ]+)", path[3].replace("-", " -")):
        values = [int(float(number)) for number in numbers.split()]
        if command == "h":
            rows[y] += range(x, x + values[0])
            x += values[0]
        else:
            x, y = x + values[0], y + values[1]
            rows += [[] for _ in range(y + 1 - len(rows))]
    return rows


def test_the_page_has_the_code_to_scan_to_read_out_and_to_copy(lili: Client, world: World) -> None:
    html = html_of(lili, world.coupon)
    assert str(qr_code(world.coupon.code)) in html
    assert str(bar_code(world.coupon.code)) in html
    assert in_groups(world.coupon.code) in html
    assert f'data-copy="{world.coupon.code}"' in html
    assert "portal/coupon" in html
    assert in_groups(CODE) == "2319 5486 6826 5420"


def test_money_is_shown_where_it_is_known(lili: Client, world: World) -> None:
    redeem(world.coupon, saved_fen=850, paid_fen=4150)
    html = html_of(lili, world.coupon)
    for words in ("¥10", "¥8.50", "¥41.50"):
        assert words in html
    redeem(world.failed)
    assert "the till does not say" in html_of(lili, world.failed)


def test_a_failed_delivery_says_why_and_what_to_do(lili: Client, world: World) -> None:
    notes = lili.get(page_of(world.failed)).context["head"]["notes"]
    assert "会员不存在" in notes[0].words
    assert "“Send again” queues it" in notes[0].words
    assert str(world.dead.pk) in notes[0].link


def test_a_delivery_that_waits_leads_to_the_customer(lili: Client, world: World) -> None:
    coupon = issued(world.template, CustomerFactory(merchant=world.own, openid=""))
    (note,) = lili.get(page_of(coupon)).context["head"]["notes"]
    assert "bind it, and the coupon goes out" in note.words
    assert note.link == page_of(coupon.customer)
    assert "Send again" not in offered(lili, coupon)  # it would change nothing
    assert act(lili, coupon, "resend") == [Reason.WAITING.label]


def test_a_withdrawal_that_failed_says_that_a_till_would_take_it(lili: Client, world: World) -> None:
    OutboxRow.objects.filter(coupon=world.coupon).delete()
    act(lili, world.coupon, "revoke", reason="x")
    put([row_for(RowKind.WITHDRAW, world.own, template=world.template, coupon=world.coupon)])
    failed = {"last_class": "permanent", "last_code": "005", "last_message": "会员不存在"}
    OutboxRow.objects.filter(coupon=world.coupon).update(state=RowState.DEAD, **failed)
    notes = lili.get(page_of(world.coupon)).context["head"]["notes"]
    assert notes[-1].words.startswith("dfire has this coupon still, and a till would take it. 005 会员不存在")
    assert notes[-1].variant == "danger"


def test_an_account_that_is_halted_is_named_first(lili: Client, world: World) -> None:
    (note,) = lili.get(page_of(world.coupon)).context["head"]["notes"]
    assert "dfire refuses the merchant's account" in note.words
    assert note.link == page_of(world.account)


def test_what_is_over_says_so_and_offers_nothing_that_cannot_be_done(lili: Client, world: World) -> None:
    act(lili, world.coupon, "revoke", reason="x")
    assert offered(lili, world.coupon) == set()
    assert "cannot be used any more" in html_of(lili, world.coupon)
    past = timezone.now() - timedelta(days=1)
    IssuedCoupon.objects.filter(pk=world.failed.pk).update(valid_from=past - timedelta(days=9), valid_until=past)
    assert "Its time is over" in html_of(lili, world.failed)


def test_reissue_asks_why_and_shows_the_end(lili: Client, world: World) -> None:
    redeem(world.coupon)
    assert offered(lili, world.coupon) == {"Reissue"}
    html = lili.get(action_of(world.coupon, "reissue")).content.decode()
    assert str(local_day(world.coupon.valid_until)) in html
    assert "is kept" in html
    without_reason = lili.post(
        action_of(world.coupon, "reissue"), {"_form_submitted": "1", "reason": "", "valid_until": "2099-01-01"}
    )
    assert "2099-01-01" in without_reason.content.decode()  # what was typed stays
    assert not Reissue.objects.exists()


def test_reissue_leads_to_the_replacement_and_both_pages_name_each_other(lili: Client, world: World) -> None:
    redeem(world.coupon)
    assert reissue(lili, world.coupon) == ["Replaced. This is the new coupon; the first one stays redeemed."]
    link = Reissue.objects.get(original=world.coupon)
    second = link.replacement
    assert second.valid_until == world.coupon.valid_until
    first_page, second_page = html_of(lili, world.coupon), html_of(lili, second)
    assert page_of(second) in first_page
    assert second.code in first_page
    assert page_of(world.coupon) in second_page
    assert "订单取消" in first_page
    assert "nothing: it stands in for the coupon that it replaces" in second_page
    assert offered(lili, world.coupon) == set()
    event = world.coupon.events.get(kind=EventKind.REISSUED)
    assert (event.actor, event.data["reason"]) == ("staff:lili", "订单取消")


def test_a_second_reissue_is_refused_with_its_reason_and_keeps_what_was_typed(lili: Client, world: World) -> None:
    redeem(world.coupon)
    reissue(lili, world.coupon)
    day = str(local_day(timezone.now()) + timedelta(days=9))
    response = lili.post(
        action_of(world.coupon, "reissue"), {"_form_submitted": "1", "reason": "再来一次", "valid_until": day}
    )
    html = response.content.decode()
    assert "The coupon has been replaced already." in html
    assert "再来一次" in html
    assert day in html
    assert Reissue.objects.count() == 1


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (lambda today: today - timedelta(days=1), "This day is over."),
        (lambda today: today + timedelta(days=5 * 366), "more than three years ahead"),
        (lambda today: "31.12.", "Enter a valid date"),
        (lambda today: "", "required"),
    ],
)
def test_a_bad_end_is_said_and_nothing_is_issued(lili: Client, world: World, day: Any, words: str) -> None:
    redeem(world.coupon)
    typed = str(day(local_day(timezone.now())))
    response = lili.post(
        action_of(world.coupon, "reissue"), {"_form_submitted": "1", "reason": "x", "valid_until": typed}
    )
    assert words in response.content.decode()
    assert not Reissue.objects.exists()


def test_another_end_is_the_end_of_that_day(lili: Client, world: World) -> None:
    redeem(world.coupon)
    day = local_day(timezone.now()) + timedelta(days=45)
    reissue(lili, world.coupon, valid_until=str(day))
    assert Reissue.objects.get().replacement.valid_until == day_end(day)


def test_reissue_needs_its_permission(lili: Client, staff: User, world: World) -> None:
    redeem(world.coupon)
    staff.user_permissions.remove(Permission.objects.get(codename="reissue_issuedcoupon"))
    assert offered(lili, world.coupon) == set()
    answer = lili.post(
        action_of(world.coupon, "reissue"), {"_form_submitted": "1", "reason": "x", "valid_until": "2030-01-01"}
    )
    assert answer.status_code == 403
    assert not Reissue.objects.exists()


def test_another_merchants_coupon_is_not_there(lili: Client, world: World) -> None:
    redeem(world.other_coupon)
    address = action_of(world.other_coupon, "reissue")
    assert lili.get(address).status_code == 404
    sent = lili.post(address, {"_form_submitted": "1", "reason": "x", "valid_until": "2027-01-01"})
    assert sent.status_code == 404
    assert not Reissue.objects.exists()
    assert lili.get(action_of(world.coupon, "reissue").replace(f"/{world.coupon.pk}/", "/nobody/")).status_code == 404


def test_the_holder_is_masked_in_everything(lili: Client, world: World) -> None:
    redeem(world.coupon)
    reissue(lili, world.coupon, reason=f"{MOBILE} 的订单取消")
    for coupon in (world.coupon, Reissue.objects.get().replacement):
        assert MOBILE not in html_of(lili, coupon)
        assert "139****5678" in html_of(lili, coupon)


def test_an_erased_holders_redeemed_coupon_says_why_it_cannot_be_replaced(lili: Client, world: World) -> None:
    redeem(world.coupon)
    Customer.objects.filter(pk=world.coupon.customer_id).update(
        identifier=f"erased:{world.coupon.customer_id}", mobile="", openid="", erased_at=timezone.now()
    )
    assert offered(lili, world.coupon) == set()
    assert "Its holder has been erased, so it cannot be replaced." in html_of(lili, world.coupon)


def test_the_timeline_stands_by_shanghai_days(lili: Client, world: World) -> None:
    late = timezone.datetime(2026, 3, 1, 23, 59, 59, tzinfo=SHANGHAI)
    for at in (late, late + timedelta(seconds=2)):
        CouponEvent.objects.create(coupon=world.coupon, at=at, kind=EventKind.RECONCILED, actor="portal")
    html = html_of(lili, world.coupon)
    days = re.findall(r'class="portal-day">(\d{4}-\d{2}-\d{2})', html)
    assert days[:2] == ["2026-03-01", "2026-03-02"]
    assert days == sorted(set(days))
    assert date.fromisoformat(days[-1]) == local_day(timezone.now())


def test_the_timeline_names_batch_edits_and_replacement(lili: Client, root: Client, world: World, staff: User) -> None:
    batch = Batch.objects.create(kind=BatchKind.ISSUE, merchant=world.own, template=world.template, name="双十一群发")
    IssuedCoupon.objects.filter(pk=world.coupon.pk).update(batch=batch)
    for row, said in ((world.coupon.customer, "openid"), (world.template, "stock")):
        LogEntry.objects.create(
            user=staff, content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk),
            object_repr="x", action_flag=CHANGE, change_message=f"Changed {said} {MOBILE}.",
        )  # fmt: skip
    redeem(world.coupon)
    reissue(lili, world.coupon)
    entries = lili.get(page_of(world.coupon)).context["timeline"]
    said = {str(entry.title): entry for entry in entries}
    assert "双十一群发" in said["issued"].text
    assert said["Customer edited"].text == "Changed openid 139****5678."
    assert said["Template edited"].by == "staff lili"
    replaced = said["replaced by another coupon"]
    assert replaced.link == page_of(Reissue.objects.get().replacement)
    assert replaced.icon != "circle"


def test_a_long_answer_is_folded(lili: Client, world: World) -> None:
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([world.coupon.pk])[0], reason="很" * 200 + "长" * 100, actor="staff:lili")
    html = html_of(lili, world.coupon)
    assert re.search(r"<details><summary>很{50,}…</summary><p>很{200}长{100}</p></details>", html)
