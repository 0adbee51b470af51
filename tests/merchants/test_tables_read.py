"""Tables are read as their writers meant them, and what is no table is refused in words."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from django.utils import translation
from openpyxl import Workbook

from merchants.tables import TableError, bounding, reading, rows_of


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
        (b'"' + b"x" * 140_000, "Row 1 is longer"),
        (b"1\n" + b"," * 140_000, "Row 2 is longer"),
        (b'1\n"\n' + b'",,"\n' * 50_000, "Row 2 is longer"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read(content)


def test_an_archive_that_unpacks_to_too_much_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounding, "MOST_UNPACKED_BYTES", 10_000)
    with pytest.raises(TableError, match="unpacks to too much"):
        read(xlsx_with({"xl/worksheets/sheet1.xml": "0" * 10_001}))


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", SHEET.format(f"<row>{'<c/>' * 20_000}</row>")),
        ("xl/worksheets/sheet1.xml", SHEET.format("<cell/>" * 200_001)),
        ("xl/worksheets/sheet1.xml", SHEET.format(f"<row><c><v>{'1' * 4_000_001}</v></c></row>")),
        ("xl/worksheets/sheet1.xml", SHEET.format(f'<row spans="{"1" * 9_000_000}"/>')),
        ("xl/worksheets/sheet1.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + SHEET.format("<row/>")),
        ("xl/styles.xml", f"<styleSheet>{'<xf/>' * 100_001}</styleSheet>"),
        ("xl/styles.xml", " " * (16 * 1024 * 1024 + 1)),
        ("xl/sharedStrings.xml", " " * (64 * 1024 * 1024 + 1)),
    ],
)
def test_parts_that_would_fill_the_memory_are_not_opened(part: str, content: str) -> None:
    with pytest.raises(TableError, match="unpacks to too much"):
        read(xlsx_with({part: content}))


def test_an_archive_of_very_many_parts_is_not_opened() -> None:
    with pytest.raises(TableError, match="unpacks to too much"):
        read(xlsx_with({f"xl/media/{number}.png": "" for number in range(10_000)}))


def test_a_sheet_full_of_text_is_read() -> None:
    row = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'
    content = SHEET.format("".join(row.format(number) for number in range(1, 20_001)))
    assert len(read(xlsx_with({"xl/worksheets/sheet1.xml": content}))) == 20_000


STRINGS = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)


def xlsx_with(parts: dict[str, str]) -> bytes:
    """A workbook as Excel writes it, with some of its parts exchanged."""
    whole, changed = io.BytesIO(), io.BytesIO()
    book = Workbook()
    book.active.append(["text"])
    book.save(whole)
    parts = {
        "xl/sharedStrings.xml": '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>',
        **parts,
    }
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name).replace(b"</Types>", STRINGS + b"</Types>"))
        for name, content in parts.items():
            new.writestr(name, content)
    return changed.getvalue()


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
