"""Tables are read as their writers meant them, and what is no table is refused in words."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from openpyxl import Workbook

from merchants.tables import TableError, reading, rows_of


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


ROWS = [(1, ["手机号", "姓名"]), (2, ["13800138000", "王芳"]), (4, ["13900139000", "李雷"])]


def read(content: bytes | str) -> list[tuple[int, list[str]]]:
    return list(rows_of(io.BytesIO(content) if isinstance(content, bytes) else content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("between", [",", "\t", ";"])
def test_csv_in_the_encodings_that_excel_writes(encoding: str, end: str, between: str) -> None:
    lines = ["手机号,姓名", " 13800138000 ,王芳", "", "13900139000,李雷", ""]
    assert read(end.join(lines).replace(",", between).encode(encoding)) == ROWS


def test_pasted_text_is_a_table_of_one_column() -> None:
    assert read("13800138000\n\n13900139000") == [(1, ["13800138000"]), (3, ["13900139000"])]


def test_xlsx_with_numbers_for_mobiles() -> None:
    book = Workbook()
    for row in (["手机号", "姓名"], [13800138000, "王芳"], [], [13900139000.0, "李雷"]):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    assert read(file.getvalue()) == ROWS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0rest", "old .xls"),
        (b"PK\x03\x04 but no archive", "cannot be read"),
        (b"a\0b", "not a CSV"),
        (b"\xff\xff\xff", "encoding"),
        (("x" * 1001).encode(), "longer than 1000"),
        ((",".join("x" * 51)).encode(), "more than 50 columns"),
        (b'"' + b"x" * 140_000, "not a table"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read(content)


def test_an_archive_that_unpacks_to_too_much_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reading, "MOST_UNPACKED_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", "0" * 10_001)
    with pytest.raises(TableError, match="unpacks to too much"), (tmp_path / "bomb.xlsx").open("rb") as file:
        list(rows_of(file))


def test_too_many_rows_and_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    assert len(read("heading\n1\n2")) == 3
    with pytest.raises(TableError, match="more than 2 rows"):
        read("heading\n1\n2\n3")
    monkeypatch.setattr(reading, "MOST_BYTES", 5)
    with pytest.raises(TableError, match="larger than"):
        read("123456")


def test_the_file_stays_open_for_its_owner() -> None:
    file = io.BytesIO(b"1\n2")
    assert list(rows_of(file)) == list(rows_of(file))
