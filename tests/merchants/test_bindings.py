"""A binding file is read as meant, and what it would do is said row by row before anything is done."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import translation

from coupons import customer_files
from coupons.customer_files import NeedsAdding, checking
from coupons.errors import Refused
from merchants import bindings, customers, erasing
from merchants.bindings import entries_of
from merchants.choices import Why
from merchants.models import Customer, Merchant
from merchants.tables import MOST_BYTES, MOST_ROWS, TableError
from tests.factories import CustomerFactory, MerchantFactory
from tests.merchants.files import came_of_it, checked, counts, reason, table, why, yes

OPENID = "oAbCdEfGhIjKlMnOpQrSt"


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def read(text: str) -> list[tuple[str, str, str]]:
    return [(entry.identifier, entry.mobile, entry.openid) for entry in entries_of(text)]


@pytest.mark.parametrize(
    "heading",
    [
        "会员标识,手机号,openid",
        "编号,手机,OpenID",
        "会员标识/编号 （必填）,手机号码,微信 openid",
        "Identifier,Mobile,Open_ID",
    ],
)
def test_headings_are_recognised(heading: str) -> None:
    assert read(f"{heading}\nvip-1,13800138000,{OPENID}") == [("vip-1", "13800138000", OPENID)]


def test_columns_stand_in_any_order_and_others_are_passed_over() -> None:
    assert read(f"openid,姓名,手机号\n{OPENID},王芳,13800138000") == [("", "13800138000", OPENID)]


def test_without_headings_the_usual_order_holds() -> None:
    assert read(f"13800138000\t{OPENID}") == [("13800138000", "", OPENID)]
    assert read(f"vip-1,13800138000,{OPENID}") == [("vip-1", "13800138000", OPENID)]


@pytest.mark.parametrize("typed", ["138 0013 8000", "+86 138-0013-8000", "８６１３８００１３８０００", "'13800138000"])
def test_mobile_numbers_as_people_write_them(typed: str) -> None:
    assert read(f"手机号,openid\n{typed},{OPENID}")[0][1] == "13800138000"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("卡号,微信\n1,2", "must name the columns"),
        ("会员标识,姓名\n1,2", "openid or the mobile number is missing"),
        ("openid,姓名\no,2", "names the customer is missing"),
        ("手机号,手机\n1,2", "same heading"),
        ("手机号,openid\n", "no rows below"),
    ],
)
def test_a_table_that_is_no_binding_file_says_why(text: str, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read(text)


@pytest.fixture
def merchant(db: None) -> Merchant:
    return MerchantFactory()


def only(merchant: Merchant, *row: str, adds: bool = True) -> Why | None:
    return why(checked(merchant, table(row), adds=adds)).get(2)  # type: ignore[arg-type]


def test_new_changed_and_the_same(merchant: Merchant) -> None:
    known = CustomerFactory(merchant=merchant, identifier="vip-1", mobile="13800138000", openid="")
    file = checked(merchant, table(("vip-1", "", OPENID), ("vip-2", "", "o-2"), ("", "13800138000", "")))
    assert counts(file) == (1, 1, 1, 0)
    assert file.rows.get(verdict="change").customer == known
    assert counts(checked(merchant, table(("vip-1", "13800138000", "")))) == (0, 0, 1, 0)


def test_two_rows_that_complete_each_other_are_both_done(merchant: Merchant) -> None:
    known = CustomerFactory(merchant=merchant, identifier="vip-1", mobile="", openid="")
    rows = [("vip-1", "", OPENID), ("vip-1", "13800138000", ""), ("new", "", "o-2"), ("new", "13900139000", "")]
    file = yes(checked(merchant, table(*rows)))
    known.refresh_from_db()
    assert (known.openid, known.mobile) == (OPENID, "13800138000")
    assert Customer.objects.filter(identifier="new", openid="o-2", mobile="13900139000").count() == 1
    assert came_of_it(file) == ("done", 1, 1, 0, 0)


def test_an_identifier_that_is_a_mobile_number_finds_its_only_owner(merchant: Merchant) -> None:
    owner = CustomerFactory(merchant=merchant, identifier="vip-1", mobile="13800138000", openid="")
    assert checked(merchant, table(("13800138000", "", OPENID))).rows.get().customer == owner
    CustomerFactory(merchant=merchant, identifier="vip-2", mobile="13800138000")
    assert only(merchant, "13800138000", "", OPENID) == Why.SEVERAL


def test_an_identifier_that_is_an_openid_finds_whose_it_is(merchant: Merchant) -> None:
    owner = CustomerFactory(merchant=merchant, identifier="vip-1", openid=OPENID, mobile="")
    file = yes(checked(merchant, table((OPENID, "13800138000", ""))))
    owner.refresh_from_db()
    assert (owner.mobile, came_of_it(file)) == ("13800138000", ("done", 0, 1, 0, 0))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("vip", "1380013800", ""), Why.BAD_MOBILE),
        (("vip", "1.38E+10", ""), Why.BAD_MOBILE),
        (("vip", "=cmd|' /C calc'!A0", ""), Why.BAD_MOBILE),
        (("", "", OPENID), Why.NOBODY),
        (("vip", "", ""), Why.NOTHING),
        (("vip", "", "o with blanks"), Why.BAD_OPENID),
        (("vip", "", "13800138000"), Why.BAD_OPENID),
        (("vip", "13900139000", "13800138000"), Why.BAD_OPENID),
        (("vip", "", "o" * 129), Why.BAD_OPENID),
        (("v" * 129, "", OPENID), Why.TOO_LONG),
        (("\ufdfa" * 900, "", OPENID), Why.TOO_LONG),
        (("会" * 129, "13800138000", OPENID), Why.TOO_LONG),
        (('"a\nb"', "", OPENID), Why.NOT_READABLE),
        (("erased:1", "", OPENID), Why.WAS_ERASED),
        (("erased:1", "13800138000", ""), Why.WAS_ERASED),
        (("vip", "", "taken"), Why.OPENID_TAKEN),
    ],
)
def test_bad_rows_say_why(merchant: Merchant, row: tuple[str, str, str], reason: Why) -> None:
    CustomerFactory(merchant=merchant, openid="taken")
    file = checked(merchant, table(row, ("good", "", "o-good")))
    assert list(why(file).values()) == [reason]
    assert counts(file) == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("row", "entered"),
    [
        (("=1+1", "", "o-1"), ("=1+1", "", "o-1")),
        (("a\\N", "", "o\\1"), ("a\\N", "", "o\\1")),
        (('"a\tb"', "13800138000", ""), None),
        (("王 芳", "138 0013 8000", ""), ("王 芳", "13800138000", "")),
        (("ＶＩＰ１", "", "'o-1"), ("VIP1", "", "o-1")),
        (("13800138000", "", "o-1"), ("13800138000", "13800138000", "o-1")),
        (("", "+86 138-0013-8000", ""), ("13800138000", "13800138000", "")),
    ],
)
def test_what_is_entered_is_what_was_meant(
    merchant: Merchant, row: tuple[str, str, str], entered: tuple[str, str, str] | None
) -> None:
    yes(checked(merchant, table(row, ("other", "13900000000", ""))))
    made = Customer.objects.exclude(identifier="other").values_list("identifier", "mobile", "openid")
    assert list(made) == ([entered] if entered else [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_separators(merchant: Merchant, encoding: str, separator: str, end: str) -> None:
    rows = table(("会员一", "13800138000", "o-1"), ("会员二", "", "o-2")).replace(",", separator).replace("\n", end)
    file = customer_files.begin(merchant, io.BytesIO(rows.encode(encoding)), adds_unknown=True)
    customer_files.work_all()
    file.refresh_from_db()
    assert counts(file) == (2, 0, 0, 0)
    assert list(file.rows.values_list("identifier", flat=True)) == ["会员一", "会员二"]


def test_numbers_of_rows_are_those_of_the_file(merchant: Merchant) -> None:
    text = '会员标识,备注,手机号\nv1,"two\nlines",1380013800\n\nv2,,1380013801\n'
    assert set(why(checked(merchant, text))) == {2, 4}


def test_unknown_ones_are_mistakes_where_nobody_is_to_be_added(merchant: Merchant) -> None:
    CustomerFactory(identifier="vip-1")  # another merchant's
    assert only(merchant, "vip-1", "", OPENID, adds=False) == Why.UNKNOWN
    assert only(merchant, "vip-1", "", OPENID) is None


def test_whoever_was_erased_does_not_come_back_by_a_file(merchant: Merchant) -> None:
    gone = CustomerFactory(merchant=merchant, identifier="vip-1")
    erasing.ask(gone, reason="x", asked_by="staff:test")
    assert only(merchant, "vip-1", "", OPENID) == Why.WAS_ERASED
    assert only(merchant, "vip-2", "", OPENID) is None
    assert only(MerchantFactory(), "vip-1", "", OPENID) is None, "not this merchant's affair"


def test_whoever_is_erased_between_check_and_yes_does_not_come_back(merchant: Merchant) -> None:
    gone = CustomerFactory(merchant=merchant, identifier="vip-1", openid="")
    file = checked(merchant, table(("vip-1", "", OPENID), ("vip-2", "", "o-2")))
    erasing.ask(gone, reason="x", asked_by="staff:test")
    assert came_of_it(yes(file)) == ("done", 1, 0, 0, 1)
    assert why(file) == {2: Why.WAS_ERASED}


def test_rows_that_contradict_each_other_are_all_refused(merchant: Merchant) -> None:
    CustomerFactory(merchant=merchant, identifier="vip-1", mobile="13800138000", openid="")
    file = checked(merchant, table(("vip-1", "", "o-1"), ("vip-2", "", "o-2"), ("13800138000", "", "o-3")))
    assert why(file) == {2: Why.TWICE, 4: Why.TWICE}
    assert dict(file.rows.filter(verdict="bad").values_list("number", "other")) == {2: 4, 4: 2}
    assert "Row 4" in reason(file.rows.get(number=2))
    assert set(why(checked(merchant, table(("vip-3", "", "o-4"), ("vip-4", "", "o-4")))).values()) == {Why.OPENID_TWICE}


def test_contradictions_are_found_across_slices(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SLICE", 2)
    rows = [("vip-1", "", "o-1"), ("vip-2", "", "o-2"), ("vip-3", "", "o-3"), ("vip-1", "", "o-9"), ("x", "", "o-2")]
    assert why(checked(merchant, table(*rows))) == {
        2: Why.TWICE, 5: Why.TWICE, 3: Why.OPENID_TWICE, 6: Why.OPENID_TWICE
    }  # fmt: skip


def test_a_row_that_repeats_another_changes_nothing_more(merchant: Merchant) -> None:
    file = checked(merchant, table(("vip-1", "", "o-1"), ("vip-1", "", "o-1")))
    assert counts(file) == (1, 0, 1, 0)


def test_a_check_asks_a_handful_of_questions_for_many_rows(
    merchant: Merchant, django_assert_max_num_queries: Any
) -> None:
    file = customer_files.begin(
        merchant, table(*((f"vip-{number}", "", f"o-{number}") for number in range(2000))), adds_unknown=True
    )
    with django_assert_max_num_queries(40):
        customer_files.work_all()
    file.refresh_from_db()
    assert file.new == 2000


def test_looking_customers_up_reads_no_table_whole(merchant: Merchant) -> None:
    """However many customers there are: as the planner sees it once it knows of many."""
    customers.enter_many(merchant, [f"vip-{number}" for number in range(5000)])
    bindings.take_in([bindings.Entry(number, f"vip-{number}", "", f"o-{number}") for number in range(1000)])
    select, values = bindings.judge(merchant.pk, "said")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE merchants_customer")
        cursor.execute(f"EXPLAIN {select}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on merchants_customer" not in plan, plan


def test_what_is_wrong_far_down_is_told_by_the_file(merchant: Merchant) -> None:
    rows = "\n".join(f"vip-{number},o-{number}" for number in range(1500))
    file = checked(merchant, f"会员标识,openid\n{rows}\n{','.join('x' * 60)}\n")
    assert file.state == "unreadable"
    assert "1502" in file.problem
    assert not file.rows.exists()
    assert not file.parts.exists()


def test_a_file_is_kept_sealed_until_it_has_been_checked(merchant: Merchant) -> None:
    file = customer_files.begin(
        merchant, table(("vip-1", "13800138000", "o-1")), adds_unknown=True, name="13800138000.csv"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM merchants_customerfilepart")
        (stored,) = cursor.fetchone()
    assert "138" not in file.name
    assert stored.startswith("gAAAA")
    customer_files.work_all()
    assert not file.parts.exists()
    assert file.rows.count() == 1


def test_what_has_been_entered_is_kept_once(merchant: Merchant) -> None:
    file = yes(checked(merchant, table(("vip-1", "", "o-1"), ("vip-2", "1", ""))))
    assert list(file.rows.values_list("number", flat=True)) == [3], "what is not done stays, to be mended"


def test_a_cancelled_file_forgets_its_rows_and_is_not_entered(merchant: Merchant) -> None:
    file = checked(merchant, table(("vip-1", "", "o-1"), ("vip-2", "1", "")))
    customer_files.cancel(file)
    with pytest.raises(Refused):
        customer_files.start(file, may_add=True)
    customer_files.work_all()
    assert not Customer.objects.exists()
    assert list(file.rows.values_list("number", flat=True)) == [3]


def test_whoever_may_not_add_cannot_say_yes_to_new_customers(merchant: Merchant) -> None:
    file = checked(merchant, table(("vip-1", "", "o-1")))
    with pytest.raises(NeedsAdding):
        customer_files.start(file, may_add=False)
    assert not Customer.objects.exists()


def test_the_example_in_the_document_is_the_one_to_download() -> None:
    page = (Path(settings.BASE_DIR) / "docs/customers.md").read_text()
    block = re.search(r"```csv\n(.*?)```", page, re.DOTALL)
    assert block
    assert list(entries_of(block[1])) == list(entries_of(bindings.EXAMPLE))
    assert f"{MOST_ROWS:,} rows and {MOST_BYTES >> 20} MB" in page
