"""A binding file is read as meant, and what it would do is said row by row before anything is done."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from merchants import bindings, erasing
from merchants.bindings import Entry, Planned, SealBroken, Verdict, Why, entries_of, plan, sealing
from merchants.models import Customer, Merchant
from merchants.tables import TableError
from tests.factories import CustomerFactory, MerchantFactory

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


def test_more_rows_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("merchants.bindings.reading.MOST_ROWS", 2)
    read("手机号\n1\n2")
    with pytest.raises(TableError, match="more than 2 rows"):
        read("手机号\n1\n2\n3")


@pytest.fixture
def merchant(db: None) -> Merchant:
    return MerchantFactory()


def planned(merchant: Merchant, *rows: tuple[str, str, str], adds: bool = True) -> list[Planned]:
    return plan(merchant, [Entry(number, *row) for number, row in enumerate(rows, 2)], adds_unknown=adds)


def only(merchant: Merchant, *row: str, adds: bool = True) -> Planned:
    return planned(merchant, row, adds=adds)[0]  # type: ignore[arg-type]


def test_new_changed_and_the_same(merchant: Merchant) -> None:
    known = CustomerFactory(merchant=merchant, identifier="vip-1", mobile="13800138000", openid="")
    found = planned(merchant, ("vip-1", "", OPENID), ("vip-2", "", "o-2"), ("", "13800138000", ""))
    assert [one.verdict for one in found] == [Verdict.CHANGE, Verdict.NEW, Verdict.EQUAL]
    assert (found[0].customer, found[0].changes) == (known, ("openid",))
    assert only(merchant, "vip-1", "13800138000", "").verdict == Verdict.EQUAL


def test_two_rows_that_complete_each_other_are_both_done(merchant: Merchant) -> None:
    CustomerFactory(merchant=merchant, identifier="vip-1", mobile="", openid="")
    found = planned(merchant, ("vip-1", "", OPENID), ("vip-1", "13800138000", ""))
    assert [one.changes for one in found] == [("openid",), ("mobile",)]


def test_an_identifier_that_is_a_mobile_number_finds_its_only_owner(merchant: Merchant) -> None:
    owner = CustomerFactory(merchant=merchant, identifier="vip-1", mobile="13800138000")
    assert only(merchant, "13800138000", "", OPENID).customer == owner
    CustomerFactory(merchant=merchant, identifier="vip-2", mobile="13800138000")
    assert only(merchant, "13800138000", "", OPENID).why == Why.SEVERAL


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (("vip", "1380013800", ""), Why.BAD_MOBILE),
        (("vip", "1.38E+10", ""), Why.BAD_MOBILE),
        (("", "", OPENID), Why.NOBODY),
        (("vip", "", ""), Why.NOTHING),
        (("vip", "", "o with blanks"), Why.BAD_OPENID),
        (("vip", "", "13800138000"), Why.BAD_OPENID),
        (("vip", "", "o" * 129), Why.BAD_OPENID),
        (("v" * 129, "", OPENID), Why.TOO_LONG),
        (("erased:1", "", OPENID), Why.WAS_ERASED),
        (("vip", "", "taken"), Why.OPENID_TAKEN),
    ],
)
def test_bad_rows_say_why(merchant: Merchant, row: tuple[str, str, str], why: Why) -> None:
    CustomerFactory(merchant=merchant, openid="taken")
    found = only(merchant, *row)
    assert (found.verdict, found.why) == (Verdict.BAD, why)
    assert found.reason


def test_unknown_ones_are_mistakes_where_nobody_is_to_be_added(merchant: Merchant) -> None:
    CustomerFactory(identifier="vip-1")  # another merchant's
    assert only(merchant, "vip-1", "", OPENID, adds=False).why == Why.UNKNOWN
    assert only(merchant, "vip-1", "", OPENID).verdict == Verdict.NEW


def test_whoever_was_erased_does_not_come_back_by_a_file(merchant: Merchant) -> None:
    gone = CustomerFactory(merchant=merchant, identifier="vip-1")
    erasing.ask(gone, reason="x", asked_by="staff:test")
    assert only(merchant, "vip-1", "", OPENID).why == Why.WAS_ERASED
    assert only(merchant, "vip-2", "", OPENID).verdict == Verdict.NEW
    assert only(MerchantFactory(), "vip-1", "", OPENID).verdict == Verdict.NEW, "not this merchant's affair"


def test_rows_that_contradict_each_other_are_all_refused(merchant: Merchant) -> None:
    CustomerFactory(merchant=merchant, identifier="vip-1", mobile="13800138000")
    first, other, again = planned(merchant, ("vip-1", "", "o-1"), ("vip-2", "", "o-2"), ("13800138000", "", "o-3"))
    assert [first.why, other.verdict, again.why] == [Why.TWICE, Verdict.NEW, Why.TWICE]
    assert (first.other, again.other) == (4, 2)
    assert "Row 4" in first.reason
    shared = planned(merchant, ("vip-3", "", "o-4"), ("vip-4", "", "o-4"))
    assert {one.why for one in shared} == {Why.OPENID_TWICE}


def test_a_row_that_repeats_another_changes_nothing_more(merchant: Merchant) -> None:
    found = planned(merchant, ("vip-1", "", "o-1"), ("vip-1", "", "o-1"))
    assert [one.verdict for one in found] == [Verdict.NEW, Verdict.EQUAL]


def test_a_plan_asks_a_handful_of_questions_for_many_rows(
    merchant: Merchant, django_assert_max_num_queries: object
) -> None:
    rows = [(f"vip-{number}", "", f"o-{number}") for number in range(500)]
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        planned(merchant, *rows)
    assert not Customer.objects.exists()


def test_a_seal_opens_for_whom_it_was_made_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry(2, "vip", "13800138000", OPENID)]
    sealed = bindings.seal(entries, user_id=1, merchant_id=7, adds_unknown=True)
    assert "13800138000" not in sealed
    opened = bindings.unseal(sealed, user_id=1)
    assert (opened.entries, opened.merchant_id, opened.adds_unknown) == (entries, 7, True)
    for broken, user in ((sealed, 2), (sealed[:-9], 1), ("", 1), ("秘密", 1)):
        with pytest.raises(SealBroken):
            bindings.unseal(broken, user_id=user)
    later = time.time() + sealing.SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(SealBroken):
        bindings.unseal(sealed, user_id=1)


def test_the_example_in_the_document_is_the_one_to_download() -> None:
    page = (Path(settings.BASE_DIR) / "docs/customers.md").read_text()
    block = re.search(r"```csv\n(.*?)```", page, re.DOTALL)
    assert block
    assert list(entries_of(block[1])) == list(entries_of(bindings.EXAMPLE))
    assert f"{bindings.MOST_ROWS:,} rows and {bindings.MOST_BYTES >> 20} MB" in page
