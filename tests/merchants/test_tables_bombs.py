"""Files that are made to do harm are refused in words, in little time and memory, whatever they are called."""

import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from openpyxl import Workbook

from merchants.tables import TableError, rows_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = f'<worksheet xmlns="{MAIN}"><sheetData>%s</sheetData></worksheet>'
SHEET_PART = "xl/worksheets/sheet1.xml"
MOST_MEGABYTES = 160  # above what the interpreter takes with Django and openpyxl
MOST_SECONDS = 60  # on a busy machine
_READ = """
import resource, sys, django
from django.conf import settings
settings.configure(USE_I18N=False)
django.setup()
from merchants.tables import TableError, rows_of
import openpyxl
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    with open(sys.argv[1], "rb") as file:
        rows = sum(1 for _row in rows_of(file))
    said = f"{rows} rows"
except TableError as error:
    said = str(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, said)
"""


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def read_elsewhere(path: Path) -> tuple[int, str]:
    """The megabytes that it took in a process of its own, and what came of it."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], cwd=settings.BASE_DIR, capture_output=True, text=True,
        timeout=2 * MOST_SECONDS, check=True,
    )  # fmt: skip
    megabytes, _, said = done.stdout.strip().partition(" ")
    return int(megabytes), said


def packed(path: Path, parts: dict[str, Iterator[bytes]]) -> Path:
    """A workbook as Excel writes it, with some of its parts exchanged or added, each in pieces."""
    whole = io.BytesIO()
    book = Workbook()
    book.active.append(["text"])
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, pieces in parts.items():
            with new.open(name, "w", force_zip64=True) as part:
                for piece in pieces:
                    part.write(piece)
    return path


def repeated(begin: str, piece: bytes, times: int, end: str) -> Iterator[bytes]:
    """A part that deflates a thousand to one."""
    yield begin.encode()
    for _time in range(times):
        yield piece
    yield end.encode()


BEGIN, END = SHEET.split("%s")
MEGABYTE = b" " * (1 << 20)
BOMBS = {
    "a gigabyte of blanks in the sheet": {SHEET_PART: lambda: repeated(BEGIN, MEGABYTE, 1024, END)},
    "a gigabyte in a part that no table needs": {"xl/media/image1.png": lambda: repeated("", MEGABYTE, 1024, "")},
    "a million columns": {SHEET_PART: lambda: repeated(BEGIN + "<row>", b"<c/>" * 1000, 1000, "</row>" + END)},
    "a cell of 64 MB": {
        SHEET_PART: lambda: repeated(
            BEGIN + '<row><c t="inlineStr"><is><t>', b"x" * (1 << 20), 64, "</t></is></c></row>" + END
        )
    },
    "entities in entities": {
        SHEET_PART: lambda: repeated(
            '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
            (SHEET % '<row><c t="inlineStr"><is><t>&c;</t></is></c></row>').encode(), 1, "",
        )
    },
    "a file of the machine as an entity": {
        SHEET_PART: lambda: repeated(
            '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            (SHEET % '<row><c t="inlineStr"><is><t>&a;</t></is></c></row>').encode(), 1, "",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_unpacks_to_too_much_takes_little(tmp_path: Path, name: str) -> None:
    bomb = packed(tmp_path / "bomb.xlsx", {part: pieces() for part, pieces in BOMBS[name].items()})
    assert bomb.stat().st_size < 4 << 20
    began = time.monotonic()
    megabytes, said = read_elsewhere(bomb)
    assert said == "This XLSX file unpacks to too much. Save it as CSV."
    assert megabytes < MOST_MEGABYTES
    assert time.monotonic() - began < MOST_SECONDS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"x", "is longer than"),
        (b"1,", "is longer than"),
        (b'"1\n', "The table has more than 1,000,000 rows"),
        (b"1\0", "This is not a CSV or XLSX file."),
    ],
)
def test_endless_lines_of_csv_take_little(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(line * (60 * (1 << 20) // len(line)))
    megabytes, words = read_elsewhere(path)
    assert said in words
    assert megabytes < MOST_MEGABYTES


def test_a_program_in_it_is_refused_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = packed(tmp_path / "innocent.xlsx", {"xl/vbaProject.bin": iter([b"\xd0\xcf\x11\xe0 program"])})
    with path.open("rb") as file, pytest.raises(TableError, match="holds macros"):
        list(rows_of(file))


def test_an_archive_in_an_archive_and_links_to_elsewhere_are_not_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", b"\0" * (64 << 20))
    link = b'<externalLink xmlns="%s"><externalBook/></externalLink>' % MAIN.encode()
    parts = {
        "xl/embeddings/inner.zip": iter([inner.getvalue()]),
        "xl/externalLinks/externalLink1.xml": iter([link]),
    }
    with packed(tmp_path / "nested.xlsx", parts).open("rb") as file:
        assert [cells for _number, cells in rows_of(file)] == [["text"]]


def test_formulas_are_texts_of_their_last_values_or_nothing(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(['=WEBSERVICE("http://127.0.0.1:9/")', "13800138000"])
    book.save(tmp_path / "formula.xlsx")
    with (tmp_path / "formula.xlsx").open("rb") as file:
        assert [cells for _number, cells in rows_of(file)] == [["", "13800138000"]]


@pytest.mark.parametrize("name", ["picture.png", "page.html", "program.exe"])
def test_content_counts_and_no_name(name: str) -> None:
    content = {
        "picture.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "page.html": b"<html>\0</html>", "program.exe": b"MZ\x90\0",
    }[name]  # fmt: skip
    with pytest.raises(TableError):
        list(rows_of(io.BytesIO(content)))
