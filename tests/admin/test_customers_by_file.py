"""Binding by file: nothing before the yes, then slice by slice, and what waited goes out."""

import io
import re
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from coupons import customer_files
from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from merchants.models import Customer, CustomerFile, MerchantScope
from merchants.tables import reading
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import action_of, list_of, page_of
from tests.factories import CustomerFactory, issued
from tests.merchants.files import came_of_it, counts

ADDRESS = "/admin/merchants/customer/by-file/"
DIALOG = {"_form_submitted": "1"}


def send(client: Client, world: World, text: str = "", file: Any = None, **fields: Any) -> Any:
    """Send the form."""
    data = {"merchant": world.own.pk, "text": text, "adds_unknown": "on", **fields}
    return client.post(ADDRESS, {**data, "file": file} if file else data, follow=True)


def sent(client: Client, world: World, text: str = "", file: Any = None, **fields: Any) -> CustomerFile:
    """The file that is made of it, checked."""
    send(client, world, text, file, **fields)
    return CustomerFile.objects.latest("pk")


def act(client: Client, file: CustomerFile, name: str) -> Any:
    response = client.post(action_of(file, name), DIALOG, follow=True)
    file.refresh_from_db()
    return response


def test_the_list_has_the_button(lili: Client) -> None:
    assert ADDRESS in lili.get(list_of(Customer)).content.decode()


def test_a_check_changes_nothing_and_yes_does_it_all(lili: Client, world: World) -> None:
    waiting = CustomerFactory(merchant=world.own, openid="")
    coupon = issued(world.template, waiting)
    text = f"会员标识,手机号,openid\n{waiting.identifier},,o-new\nvip-1,13700000001,o-vip\n{MOBILE},123,o-x"
    response = send(lili, world, text)
    file = CustomerFile.objects.get()
    assert counts(file) == (1, 1, 0, 1)
    html = response.content.decode()
    assert "1 coupon waits for these customers" in html
    assert "no mobile number" in html
    assert not Customer.objects.filter(openid__in=["o-new", "o-vip"]).exists()
    assert IssuedCoupon.objects.get(pk=coupon.pk).delivery == "waiting"
    html = act(lili, file, "start").content.decode()
    assert (came_of_it(file), file.released) == (("done", 1, 1, 0, 0), 1)
    assert "Done: 1 new, 1 changed, 0 unchanged, 1 not done. Deliveries released: 1" in html
    assert Customer.objects.get(merchant=world.own, identifier="vip-1").mobile == "13700000001"
    assert Customer.objects.get(pk=waiting.pk).openid == "o-new"
    assert IssuedCoupon.objects.get(pk=coupon.pk).delivery == "queued"
    assert OutboxRow.objects.get(coupon=coupon).state == "queued"


def test_the_dialog_says_how_many_it_will_be(lili: Client, world: World) -> None:
    file = sent(lili, world, "会员标识,openid\nvip-1,o-1\nvip-2,o-2")
    html = lili.get(action_of(file, "start")).content.decode()
    assert "<strong>2</strong>" in html
    assert not Customer.objects.filter(openid="o-1").exists()


def test_the_same_file_again_changes_nothing(lili: Client, world: World) -> None:
    text = "会员标识,openid\nvip-1,o-vip"
    act(lili, sent(lili, world, text), "start")
    again = sent(lili, world, text)
    assert counts(again) == (0, 0, 1, 0)
    assert "There is nothing to do in this file." in lili.get(page_of(again)).content.decode()


def test_xlsx_and_csv_are_read(lili: Client, world: World) -> None:
    book, content = Workbook(), io.BytesIO()
    book.active.append(["手机号", "openid"])
    book.active.append([13700000001, "o-1"])
    book.save(content)
    for name, data in (("a.xlsx", content.getvalue()), ("a.csv", "手机号,openid\n13700000001,o-1".encode("gb18030"))):
        assert sent(lili, world, file=SimpleUploadedFile(name, data)).new == 1


def test_what_cannot_be_read_is_said_and_what_was_typed_stays(lili: Client, world: World, monkeypatch: Any) -> None:
    html = send(lili, world, "卡号,微信\n甲,乙").content.decode()
    assert "must name the columns" in html
    assert "卡号,微信" in html
    assert "Choose a file, or paste the rows" in send(lili, world).content.decode()
    monkeypatch.setattr(reading, "MOST_BYTES", 10 << 20)
    large = SimpleUploadedFile("a.csv", b"x" * ((10 << 20) + 1))
    assert "larger than 10 MB" in send(lili, world, file=large).content.decode()
    assert not CustomerFile.objects.exists()


def test_a_large_file_is_left_to_a_worker_and_shows_how_far_it_is(lili: Client, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("coupons.customer_files.working.SMALL_BYTES", 10)
    monkeypatch.setattr("coupons.customer_files.working.FEW_ROWS", 0)
    file = sent(lili, world, "会员标识,openid\nvip-1,o-1")
    assert file.state == "checking"
    assert 'hx-trigger="every 1s"' in lili.get(page_of(file)).content.decode()
    customer_files.work_all()
    assert lili.get(page_of(file), headers={"hx-request": "true"})["HX-Refresh"] == "true"
    act(lili, file, "start")
    assert file.state == "running"
    customer_files.work_all()
    file.refresh_from_db()
    assert came_of_it(file) == ("done", 1, 0, 0, 0)


def test_what_became_wrong_after_the_check_is_refused_by_itself(lili: Client, world: World) -> None:
    file = sent(lili, world, "会员标识,openid\nvip-1,o-1\nvip-2,o-2")
    CustomerFactory(merchant=world.own, openid="o-1")
    html = act(lili, file, "start").content.decode()
    assert came_of_it(file) == ("done", 1, 0, 0, 1)
    assert "Another customer of this merchant has this openid." in html
    assert not Customer.objects.filter(merchant=world.own, identifier="vip-1").exists()


def test_every_row_that_is_not_done_can_be_taken_away(lili: Client, world: World) -> None:
    rows = "\n".join(f"vip-{number},{number}," for number in range(80))
    file = sent(lili, world, f"会员标识,手机号,openid\n{rows}\n=1+1,1380013,")
    html = lili.get(page_of(file)).content.decode()
    assert "and 31 more" in html
    response = lili.get(action_of(file, "not-done"))
    lines = b"".join(response).decode("utf-8-sig").splitlines()
    assert len(lines) == 82
    assert lines[1].startswith("vip-0,0,,This is no mobile number")
    assert lines[81].startswith("'=1+1,1380013,"), "no formula"


def test_who_was_bound_and_entered_stands_in_the_log_without_a_value(lili: Client, world: World, staff: User) -> None:
    customer = CustomerFactory(merchant=world.own, openid="")
    text = f"会员标识,openid\n{customer.identifier},o-secret\n13700000077,o-2"
    act(lili, sent(lili, world, text), "start")
    changed = LogEntry.objects.get(object_id=str(customer.pk))
    assert (changed.user, changed.action_flag) == (staff, 2)
    assert changed.get_change_message() == "Changed openid."
    assert customer.identifier not in changed.object_repr
    added = LogEntry.objects.get(object_id=str(Customer.objects.get(openid="o-2").pk))
    assert (added.user, added.action_flag, added.object_repr) == (staff, 1, "137****0077")


def test_only_own_merchants(lili: Client, root: Client, world: World) -> None:
    assert world.other.name not in lili.get(ADDRESS).content.decode()
    send(lili, world, "会员标识,openid\nv,o-1", merchant=world.other.pk)
    assert not CustomerFile.objects.exists()
    theirs = sent(root, world, "会员标识,openid\nvip-1,o-1", merchant=world.other.pk)
    act(lili, theirs, "start")
    assert theirs.state == "ready"
    assert "vip-1" not in lili.get(page_of(theirs), follow=True).content.decode()
    assert not Customer.objects.filter(openid="o-1").exists()


def test_a_merchant_that_was_taken_from_the_user_is_not_bound(lili: Client, world: World, staff: User) -> None:
    file = sent(lili, world, "会员标识,openid\nvip-1,o-1")
    MerchantScope.objects.get(user=staff).merchants.clear()
    act(lili, file, "start")
    assert file.state == "ready"
    assert not Customer.objects.filter(openid="o-1").exists()


def test_without_the_permission_there_is_no_way_in(lili: Client, world: World, staff: User) -> None:
    file = sent(lili, world, "会员标识,openid\nvip-1,o-1")
    staff.user_permissions.remove(*staff.user_permissions.filter(codename="change_customer"))
    assert ADDRESS not in lili.get(list_of(Customer)).content.decode()
    assert lili.get(ADDRESS).status_code == 403
    act(lili, file, "start")
    assert file.state == "ready"


def test_who_may_not_add_customers_finds_unknown_ones_listed(lili: Client, world: World, staff: User) -> None:
    by_others = sent(lili, world, "会员标识,openid\nvip-1,o-1")
    staff.user_permissions.remove(*staff.user_permissions.filter(codename="add_customer"))
    assert sent(lili, world, "会员标识,openid\nvip-1,o-1").bad == 1
    assert "No customer has this" in send(lili, world, "会员标识,openid\nvip-1,o-1").content.decode()
    assert "you may not enter any" in act(lili, by_others, "start").content.decode()
    assert not Customer.objects.filter(openid="o-1").exists()


def test_stored_numbers_stay_masked_for_those_who_may_not_see_them(lili: Client, root: Client, world: World) -> None:
    text = f"会员标识,手机号\n{world.coupon.customer.identifier},13700000009"
    assert MOBILE not in re.sub(r"<script.*?</script>", "", send(lili, world, text).content.decode(), flags=re.S)
    assert f">{MOBILE}<" in send(root, world, text).content.decode()


def test_what_others_typed_is_masked(lili: Client, root: Client, world: World) -> None:
    file = sent(root, world, "手机号,openid\n13700000001,o-1\n1370000000,o-2")
    html = lili.get(page_of(file)).content.decode()
    assert "13700000001" not in html
    assert "1370000000" not in html
    assert "13700000001" in root.get(page_of(file)).content.decode()


def test_the_example_opens_as_what_it_shows(lili: Client, world: World) -> None:
    content = lili.get(f"{ADDRESS}example.csv").content
    assert content.startswith(b"\xef\xbb\xbf")
    assert counts(sent(lili, world, file=SimpleUploadedFile("e.csv", content))) == (2, 0, 0, 0)


def test_saving_one_customer_says_what_goes_out(lili: Client, world: World) -> None:
    customer = CustomerFactory(merchant=world.own, openid="")
    issued(world.template, customer)
    response = lili.post(page_of(customer), {"mobile": "", "openid": "o-new"}, follow=True)
    assert "Deliveries released: 1" in response.content.decode()


def test_customers_whose_coupons_wait_are_found(lili: Client, world: World) -> None:
    customer = CustomerFactory(merchant=world.own, openid="")
    CustomerFactory(merchant=world.own, openid="")
    issued(world.template, customer)
    shown = lili.get(list_of(Customer), {"waiting": "yes"}).context["cl"].result_list
    assert [one.pk for one in shown] == [customer.pk]
