"""Tables are written so that people and programs read in them what stood in the portal, and nothing runs."""

import csv
import io
import re
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from openpyxl import load_workbook

from config.embedded.places import CHECKOUT
from merchants.tables import Row, TableError, csv_chunks, rows_of, xlsx, xlsx_chunks

HEADINGS = ["券码", "备注"]
# Each with what CSV says instead, where it must.
DANGEROUS = {
    "=1+1": "'=1+1",
    "+1+1": "'+1+1",
    "-1+1": "'-1+1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1+1": "'\t=1+1",
    "\r=1+1": "'\r=1+1",
    " =1+1": "' =1+1",
    "＝1+1": "'＝1+1",
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")': '\'=HYPERLINK("http://x","y")',
    "-2+3+cmd|' /C calc'!A0": "'-2+3+cmd|' /C calc'!A0",
}
HARMLESS = ["-5.00", "+12", "a=b", "1-1", "#N/A", "a,b", 'say "x"', "two\nlines", "券🎫", "<b>&amp;", "_x0041_", " x "]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def as_csv(rows: Iterable[Row], headings: list[str] = HEADINGS) -> list[list[str]]:
    content = b"".join(csv_chunks(headings, rows))
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def as_xlsx(rows: Iterable[Row], headings: list[str] = HEADINGS) -> Any:
    return load_workbook(io.BytesIO(b"".join(xlsx_chunks("券", headings, rows)))).worksheets[0]


def test_nobody_else_writes_tables() -> None:
    """So every file that leaves has been through here; `Exporting` and the batches' files use it."""
    elsewhere = re.compile(r"^(import|from) (csv|openpyxl|zipfile)\b", re.MULTILINE)
    found = [
        str(path.relative_to(CHECKOUT))
        for app in ("config", "merchants", "coupons", "integrations")
        for path in (CHECKOUT / app).rglob("*.py")
        if not path.is_relative_to(CHECKOUT / "merchants/tables") and elsewhere.search(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_looks_like_a_formula_is_a_text_in_both(text: str) -> None:
    assert as_csv([["1", text]])[1] == ["1", DANGEROUS[text]]
    cell = as_xlsx([["1", text]])["B2"]
    assert (cell.data_type, cell.number_format) == ("s", "@")  # it stays a text when somebody edits it
    assert cell.value == text.replace("\r", "\n")


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_texts_stay_as_they_are(text: str) -> None:
    assert as_csv([["1", text]])[1] == ["1", text]
    cell = as_xlsx([["1", text]])["B2"]
    assert (cell.data_type, cell.value) == ("s", text.replace("_x", "_x005F_x") if text == "_x0041_" else text)


def test_negative_numbers_and_money_are_numbers() -> None:
    assert as_csv([[-3, Decimal("-12.5")]])[1] == ["-3", "-12.50"]
    sheet = as_xlsx([[-3, Decimal("-12.5")]])
    assert (sheet["A2"].value, sheet["B2"].value, sheet["B2"].number_format) == (-3, -12.5, "0.00")


def test_codes_keep_their_digits_as_text() -> None:
    sheet = as_xlsx([["1234567890123456", "00026863"]])
    assert [(cell.value, cell.data_type, cell.number_format) for cell in sheet[2]] == [
        ("1234567890123456", "s", "@"),
        ("00026863", "s", "@"),
    ]


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (datetime(2026, 11, 30, 16, 0, 0, tzinfo=UTC), "2026-12-01 00:00:00"),
        (datetime(2026, 11, 30, 15, 59, 59, 999_999, tzinfo=UTC), "2026-11-30 23:59:59"),
    ],
)
def test_midnight_is_that_of_shanghai(instant: datetime, shown: str) -> None:
    assert as_csv([[instant, date(2026, 12, 1)]])[1] == [shown, "2026-12-01"]
    first, second = as_xlsx([[instant, date(2026, 12, 1)]])[2]
    assert str(first.value) == shown
    assert second.value == datetime(2026, 12, 1)  # noqa: DTZ001
    assert second.number_format == "yyyy-mm-dd"


def test_nothing_is_an_empty_cell_and_truth_is_a_word() -> None:
    assert as_csv([[None, True], ["", False]])[1:] == [["", "Yes"], ["", "No"]]
    assert [[cell.value for cell in row] for row in as_xlsx([[None, True], ["", False]])["A2:B3"]] == [
        [None, "Yes"],
        [None, "No"],
    ]


def test_characters_that_no_file_may_hold_are_left_out() -> None:
    assert as_csv([["a\0b", "x"]])[1] == ["ab", "x"]
    assert as_xlsx([["a\0\x08b\ufffe", "x" * 40_000]])["A2"].value == "ab"
    assert len(as_xlsx([["a", "x" * 40_000]])["B2"].value) == 32_767


@pytest.mark.parametrize("write", [csv_chunks, lambda heads, rows: xlsx_chunks("券", heads, rows)])
def test_what_is_written_is_read_again(write: Callable[..., Iterator[bytes]]) -> None:
    rows = [["1234567890123456", "满50减10, “双十二”"], ["0002", "a\nb"]]
    file = io.BytesIO(b"".join(write(HEADINGS, rows)))
    assert [texts for _number, texts in rows_of(file)] == [HEADINGS, *rows]


@pytest.mark.parametrize("write", [csv_chunks, lambda heads, rows: xlsx_chunks("券", heads, rows)])
def test_an_empty_table_has_its_heading(write: Callable[..., Iterator[bytes]]) -> None:
    assert [texts for _number, texts in rows_of(io.BytesIO(b"".join(write(HEADINGS, []))))] == [HEADINGS]


def _breaking() -> Iterator[Row]:
    for number in range(10_000):
        yield [str(number), "x" * 50]
    raise RuntimeError("the database went away")


def until_it_breaks(pieces: Iterator[bytes]) -> bytes:
    got: list[bytes] = []

    def take() -> None:
        for piece in pieces:
            got.append(piece)

    with pytest.raises(RuntimeError, match="went away"):
        take()
    return b"".join(got)


def test_the_last_line_of_a_broken_csv_reaches_whoever_reads_it() -> None:
    got = until_it_breaks(csv_chunks(HEADINGS, _breaking()))
    assert got.decode().splitlines()[-1].startswith("THE EXPORT BROKE OFF HERE")


def test_an_xlsx_that_breaks_off_cannot_be_opened() -> None:
    got = until_it_breaks(xlsx_chunks("券", HEADINGS, _breaking()))
    with pytest.raises(TableError, match="cannot be read"):
        list(rows_of(io.BytesIO(got)))


def test_xlsx_refuses_more_rows_than_a_sheet_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_XLSX_ROWS", 2)
    assert as_xlsx([["1", "2"]] * 2).max_row == 3
    with pytest.raises(TableError, match="at most 2 rows"):
        as_xlsx([["1", "2"]] * 3)


@pytest.mark.parametrize("write", [csv_chunks, lambda heads, rows: xlsx_chunks("券", heads, rows)])
def test_memory_does_not_grow_with_the_rows(write: Callable[..., Iterator[bytes]]) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        for _piece in write(HEADINGS, ([f"{number:016}", "满50减10"] for number in range(count))):
            pass
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)  # what is imported and compiled once
    assert peak(50_000) < 1.2 * peak(5_000)
