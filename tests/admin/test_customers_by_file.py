"""Binding by file: nothing before the yes, then slice by slice, and what waited goes out."""

import io
import re
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from coupons import binding
from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from merchants.models import Customer, MerchantScope
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import list_of, page_of
from tests.factories import CustomerFactory, issued

ADDRESS = "/admin/merchants/customer/by-file/"
SLICE = f"{ADDRESS}slice/"


def check(client: Client, world: World, text: str = "", file: Any = None, **fields: Any) -> Any:
    """Send the form."""
    data = {"merchant": world.own.pk, "text": text, "adds_unknown": "on", **fields}
    return client.post(ADDRESS, {**data, "file": file} if file else data)


def figures(response: Any) -> dict[str, int]:
    return {figure["key"]: figure["count"] for figure in response.context["figures"]}


def go(client: Client, response: Any) -> list[dict[str, Any]]:
    """Send the slices as the browser does."""
    parts = response.context["slices"]["parts"]
    return [client.post(SLICE, {"slice": part["sealed"]}).json() for part in parts]


def test_the_list_has_the_button(lili: Client) -> None:
    assert ADDRESS in lili.get(list_of(Customer)).content.decode()


def test_a_check_changes_nothing_and_yes_does_it_all(lili: Client, world: World) -> None:
    waiting = CustomerFactory(merchant=world.own, openid="")
    coupon = issued(world.template, waiting)
    text = f"会员标识,手机号,openid\n{waiting.identifier},,o-new\nvip-1,13700000001,o-vip\n{MOBILE},123,o-x"
    response = check(lili, world, text)
    assert figures(response) == {"new": 1, "change": 1, "equal": 0, "bad": 1}
    html = response.content.decode()
    assert "1 coupon waits for these customers" in html
    assert "no mobile number" in html
    assert not Customer.objects.filter(openid__in=["o-new", "o-vip"]).exists()
    assert IssuedCoupon.objects.get(pk=coupon.pk).delivery == "waiting"
    assert go(lili, response) == [{"created": 1, "changed": 1, "equal": 0, "released": 1, "refused": []}]
    assert Customer.objects.get(merchant=world.own, identifier="vip-1").mobile == "13700000001"
    assert Customer.objects.get(pk=waiting.pk).openid == "o-new"
    assert IssuedCoupon.objects.get(pk=coupon.pk).delivery == "queued"
    assert OutboxRow.objects.get(coupon=coupon).state == "queued"


def test_the_same_file_again_changes_nothing(lili: Client, world: World) -> None:
    text = "会员标识,openid\nvip-1,o-vip"
    first = check(lili, world, text)
    go(lili, first)
    assert go(lili, first) == [{"created": 0, "changed": 0, "equal": 1, "released": 0, "refused": []}]
    assert figures(check(lili, world, text)) == {"new": 0, "change": 0, "equal": 1, "bad": 0}


def test_xlsx_and_csv_are_read(lili: Client, world: World) -> None:
    book, content = Workbook(), io.BytesIO()
    book.active.append(["手机号", "openid"])
    book.active.append([13700000001, "o-1"])
    book.save(content)
    for name, data in (("a.xlsx", content.getvalue()), ("a.csv", "手机号,openid\n13700000001,o-1".encode("gb18030"))):
        assert figures(check(lili, world, file=SimpleUploadedFile(name, data)))["new"] == 1


def test_what_cannot_be_read_is_said_and_what_was_typed_stays(lili: Client, world: World) -> None:
    html = check(lili, world, "卡号,微信\n甲,乙").content.decode()
    assert "must name the columns" in html
    assert "卡号,微信" in html
    assert "Choose a file, or paste the rows" in check(lili, world).content.decode()
    large = SimpleUploadedFile("a.csv", b"x" * (5 * 1024 * 1024 + 1))
    assert "larger than 5 MB" in check(lili, world, file=large).content.decode()


def test_slices_are_bound_each_in_a_transaction_of_its_own(lili: Client, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(binding, "SLICE", 2)
    rows = "\n".join(f"vip-{number},o-{number}" for number in range(5))
    response = check(lili, world, f"会员标识,openid\n{rows}")
    assert [part["rows"] for part in response.context["slices"]["parts"]] == [2, 2, 1]
    lili.post(SLICE, {"slice": response.context["slices"]["parts"][1]["sealed"]})
    assert set(Customer.objects.filter(identifier__startswith="vip-").values_list("openid", flat=True)) == {
        "o-2",
        "o-3",
    }
    assert figures(check(lili, world, f"会员标识,openid\n{rows}")) == {"new": 3, "change": 0, "equal": 2, "bad": 0}


def test_what_became_wrong_after_the_check_is_refused_by_itself(lili: Client, world: World) -> None:
    response = check(lili, world, "会员标识,openid\nvip-1,o-1\nvip-2,o-2")
    CustomerFactory(merchant=world.own, openid="o-1")
    (answer,) = go(lili, response)
    assert (answer["created"], [row[:4] for row in answer["refused"]]) == (1, [[2, "vip-1", "", "o-1"]])
    assert "Another customer of this merchant has this openid." in answer["refused"][0][4]
    assert not Customer.objects.filter(merchant=world.own, identifier="vip-1").exists()


def test_who_was_bound_stands_in_the_log_without_a_value(lili: Client, world: World, staff: User) -> None:
    customer = CustomerFactory(merchant=world.own, openid="")
    go(lili, check(lili, world, f"会员标识,openid\n{customer.identifier},o-secret"))
    entry = LogEntry.objects.get(object_id=str(customer.pk))
    assert (entry.user, entry.action_flag) == (staff, 2)
    assert "o-secret" not in entry.change_message
    assert customer.identifier not in entry.object_repr


def test_only_own_merchants(lili: Client, root: Client, world: World) -> None:
    html = lili.get(ADDRESS).content.decode()
    assert world.other.name not in html
    assert "figures" not in check(lili, world, "会员标识,openid\nv,o-1", merchant=world.other.pk).context
    theirs = check(root, world, "会员标识,openid\nvip-1,o-1", merchant=world.other.pk)
    sealed = theirs.context["slices"]["parts"][0]["sealed"]
    assert lili.post(SLICE, {"slice": sealed}).status_code == 400, "made for somebody else"
    assert not Customer.objects.filter(openid="o-1").exists()


def test_a_merchant_that_was_taken_from_the_user_is_not_bound(lili: Client, world: World, staff: User) -> None:
    response = check(lili, world, "会员标识,openid\nvip-1,o-1")
    MerchantScope.objects.get(user=staff).merchants.clear()
    sealed = response.context["slices"]["parts"][0]["sealed"]
    assert lili.post(SLICE, {"slice": sealed}).status_code == 404
    assert not Customer.objects.filter(openid="o-1").exists()


def test_without_the_permission_there_is_no_way_in(lili: Client, world: World, staff: User) -> None:
    response = check(lili, world, "会员标识,openid\nvip-1,o-1")
    staff.user_permissions.remove(*staff.user_permissions.filter(codename="change_customer"))
    assert ADDRESS not in lili.get(list_of(Customer)).content.decode()
    assert lili.get(ADDRESS).status_code == 403
    sealed = response.context["slices"]["parts"][0]["sealed"]
    assert lili.post(SLICE, {"slice": sealed}).status_code == 403
    assert lili.get(SLICE).status_code == 405


def test_who_may_not_add_customers_finds_unknown_ones_listed(lili: Client, world: World, staff: User) -> None:
    staff.user_permissions.remove(*staff.user_permissions.filter(codename="add_customer"))
    assert figures(check(lili, world, "会员标识,openid\nvip-1,o-1"))["bad"] == 1
    assert "No customer has this" in check(lili, world, "会员标识,openid\nvip-1,o-1").content.decode()


def test_stored_numbers_stay_masked_for_those_who_may_not_see_them(lili: Client, root: Client, world: World) -> None:
    text = f"会员标识,手机号\n{world.coupon.customer.identifier},13700000009"
    assert MOBILE not in re.sub(r"<script.*?</script>", "", check(lili, world, text).content.decode(), flags=re.S)
    assert f">{MOBILE}<" in check(root, world, text).content.decode()


def test_the_example_opens_as_what_it_shows(lili: Client, world: World) -> None:
    content = lili.get(f"{ADDRESS}example.csv").content
    assert content.startswith(b"\xef\xbb\xbf")
    assert figures(check(lili, world, file=SimpleUploadedFile("e.csv", content))) == {
        "new": 2, "change": 0, "equal": 0, "bad": 0,
    }  # fmt: skip


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
