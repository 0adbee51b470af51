"""A file of customers is looked at row by row, and nothing happens before somebody says yes."""

import io
from typing import Any

import openpyxl
import pytest

from coupons import batches
from coupons.batches.problems import RowProblem
from coupons.choices import BatchState
from coupons.errors import Reason
from coupons.models import Batch, CouponTemplate, IssuedCoupon
from merchants import erasing
from merchants.models import Customer
from merchants.tables import TableError
from tests.factories import CustomerFactory, issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def template() -> CouponTemplate:
    return published(per_person_limit=1)


def checked(template: CouponTemplate, source: Any) -> Batch:
    batch = batches.begin_issue(template, source)
    batches.work_all()
    batch.refresh_from_db()
    assert batch.state == BatchState.READY
    return batch


def problems(batch: Batch) -> dict[str, str]:
    return dict(batch.rows.exclude(problem="").order_by("number").values_list("text", "problem"))


def test_nothing_is_issued_and_nobody_is_made_before_the_yes(template: CouponTemplate) -> None:
    batch = checked(template, "13800138000\n13900139000\n")
    assert (batch.total, batch.bad, batch.done) == (2, 0, 0)
    assert batch.summary["new"] == 2
    assert not IssuedCoupon.objects.exists()
    assert not Customer.objects.exists()


def test_every_kind_of_bad_row_is_told_apart(template: CouponTemplate) -> None:
    merchant = template.merchant
    holder = CustomerFactory(merchant=merchant)
    issued(template, holder)
    erased = CustomerFactory(merchant=merchant)
    name_of_erased = erased.identifier
    erasing.ask(erased, reason="", asked_by="staff:x")
    CustomerFactory(merchant=merchant, identifier="a", mobile="13511112222", openid="")
    CustomerFactory(merchant=merchant, identifier="b", mobile="13511112222", openid="")
    rows = [
        "13800138000",
        "1380013800",
        "13800138000",
        holder.identifier,
        "13511112222",
        "x" * 129,
        "bell\x07",
        "mem-1",
    ]
    batch = checked(template, "\n".join([*rows, name_of_erased]))
    found = dict(batch.rows.order_by("number").values_list("number", "problem"))
    assert found == {
        1: "", 2: RowProblem.NOT_A_MOBILE, 3: RowProblem.TWICE, 4: Reason.PERSON_LIMIT, 5: RowProblem.SEVERAL,
        6: RowProblem.TOO_LONG, 7: RowProblem.NOT_READABLE, 8: "", 9: "",
    }  # fmt: skip
    # An erased customer's name is nobody's: it makes a new customer, as a push would.
    assert (batch.total, batch.bad, batch.summary["new"]) == (3, 6, 3)


def test_one_customer_under_two_names_gets_one(template: CouponTemplate) -> None:
    customer = CustomerFactory(merchant=template.merchant, identifier="member-7", mobile="13900001111", openid="oX")
    batch = checked(template, f"oX\n{customer.identifier}\n139 0000-1111\n")
    assert problems(batch) == {"member-7": RowProblem.TWICE, "13900001111": RowProblem.TWICE}


def test_a_name_of_another_merchant_is_a_new_customer_here(template: CouponTemplate) -> None:
    other = CustomerFactory(identifier="member-8")
    batch = checked(template, "member-8")
    assert batch.summary["new"] == 1
    assert batch.rows.get().customer is None
    assert other.merchant != template.merchant


def test_who_stands_in_an_earlier_slice_is_found_again(template: CouponTemplate, monkeypatch: Any) -> None:
    monkeypatch.setattr("coupons.batches.checking.SLICE", 2)
    known = CustomerFactory(merchant=template.merchant)
    batch = checked(template, f"{known.identifier}\nnew-1\nnew-2\n{known.openid}\nnew-1\n")
    assert list(batch.rows.exclude(problem="").values_list("number", "problem")) == [(4, "twice"), (5, "twice")]


@pytest.mark.parametrize(
    "text",
    [
        "姓名,手机号,备注\n张三,13800138000,vip\n李四,13900139000,\n",
        "openid;手机号\n;13800138000\n;13900139000\n",
        "备注\t会员标识\n\t13800138000\nx\t13900139000\n",
    ],
)
def test_the_column_is_found_by_its_heading(template: CouponTemplate, text: str) -> None:
    batch = checked(template, text)
    assert list(batch.rows.values_list("text", flat=True)) == ["13800138000", "13900139000"]


def test_in_a_column_of_mobile_numbers_everything_else_is_a_mistake(template: CouponTemplate) -> None:
    batch = checked(template, "手机号\n13800138000\nmember-1\n+86 139-0013-9000\n")
    assert problems(batch) == {"member-1": RowProblem.NOT_A_MOBILE}
    assert batch.rows.get(number=4).text == "13900139000"


def test_xlsx_and_gb18030_are_read(template: CouponTemplate) -> None:
    book = openpyxl.Workbook()
    book.active.append(["手机号"])
    book.active.append([13800138000])  # a number, as Excel keeps it
    kept = io.BytesIO()
    book.save(kept)
    assert checked(template, kept).rows.get().text == "13800138000"
    assert checked(template, io.BytesIO("会员号\n张三\n".encode("gb18030"))).rows.get().text == "张三"


@pytest.mark.parametrize("text", ["", "\n\n", "手机号\n", "手机号,openid\n,\n"])
def test_a_file_without_customers_is_refused_and_leaves_nothing(template: CouponTemplate, text: str) -> None:
    with pytest.raises(TableError):
        batches.begin_issue(template, text)
    assert not Batch.objects.exists()


def test_more_than_the_most_is_refused_and_leaves_nothing(template: CouponTemplate, monkeypatch: Any) -> None:
    monkeypatch.setattr("coupons.batches.making.MOST_CUSTOMERS", 3)
    with pytest.raises(TableError, match="3"):
        batches.begin_issue(template, "a\nb\nc\nd\n")
    assert not Batch.objects.exists()


def test_who_lacks_an_openid_will_wait(template: CouponTemplate) -> None:
    bound = CustomerFactory(merchant=template.merchant)
    CustomerFactory(merchant=template.merchant, identifier="u", openid="")
    assert checked(template, f"{bound.identifier}\nu\nnew\n").summary["waiting"] == 2
