"""Writes XLSX row by row into a ZIP that is sent while it grows: no temporary file, and no wait for the last row.

openpyxl makes the workbook around the rows (styles, widths, the fixed heading); its own way to write rows needs the
whole file first and ten times as long. An answer that breaks off has no end of a ZIP: no program opens it.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape  # nosec B406 # it writes, and parses nothing
from zipfile import ZIP_DEFLATED, ZipFile

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from merchants.tables.reading import TableError
from merchants.tables.writing import CHUNK, Row, Value, local, runs_as_formula, yes_or_no

MOST_XLSX_ROWS = 1_048_575  # what a sheet holds below its heading

_MOST_BYTES = (1 << 31) - (64 << 20)  # beyond 2 GiB a ZIP needs an extension that Excel refuses in a stream
_LONGEST_CELL = 32_767
_SHEET = "xl/worksheets/sheet1.xml"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (a spreadsheet's time has no zone)
_DAY_SECONDS = 86_400
_TEXT, _MONEY, _MOMENT, _DAY = "@", "0.00", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
_DIGITS = re.compile(r"[0-9]+\Z")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # _x0041_ is how a sheet writes A


class _Sink:
    """Where the ZIP writes to; it cannot be gone back in, which tells ZipFile to write what it knows afterwards."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


class _Book:
    """The parts of a workbook without its rows, and the numbers of its styles."""

    def __init__(self, title: str, headings: Sequence[str]) -> None:
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = re.sub(r"[\[\]:*?/\\']", " ", _NOT_IN_XML.sub("", title)).strip()[:31] or "1"
        sheet.freeze_panes = "A2"
        self.styles: dict[str, int] = {}
        for column, style in enumerate((_TEXT, _MONEY, _MOMENT, _DAY), 1):
            cell = sheet.cell(1, column)
            cell.number_format = style
            self.styles[style] = cell.style_id
        bold = sheet.cell(1, 5)
        bold.font = Font(bold=True)
        self.bold = bold.style_id
        for number, heading in enumerate(headings, 1):
            width = sum(2 if ord(sign) > 0x2E7F else 1 for sign in heading) + 4
            sheet.column_dimensions[get_column_letter(number)].width = max(12, min(40, width))
        saved = io.BytesIO()
        book.save(saved)
        with ZipFile(saved) as packed:
            self.parts = {name: packed.read(name) for name in packed.namelist()}
        xml = re.sub(r"<dimension[^>]*/>", "", self.parts.pop(_SHEET).decode())
        self.head = xml[: xml.index("<sheetData")] + "<sheetData>"
        self.tail = xml[xml.index("</sheetData>") :]


def xlsx_chunks(title: str, headings: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """The table as XLSX, in pieces of some 64 KiB.

    Codes and other digits are texts (no 1.23E+15), and so is what looks like a formula, also once somebody edits it.

    Raises:
        TableError: more rows than a sheet holds. What was sent before cannot be opened.
    """
    book, sink = _Book(title, headings), _Sink()
    letters = [get_column_letter(number) for number in range(1, len(headings) + 1)]
    written = 0
    packed = ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=3)  # type: ignore[call-overload]
    for name, content in book.parts.items():
        packed.writestr(name, content)
    with packed.open(_SHEET, "w") as sheet:
        lines = [book.head, _row(1, letters, headings, lambda value: (f' s="{book.bold}" t="inlineStr"', _text(value)))]
        size = 0
        for number, row in enumerate(rows, 2):
            if number > MOST_XLSX_ROWS + 1 or written > _MOST_BYTES:
                raise TableError(too_many_words())
            line = _row(number, letters, row, lambda value: _cell(book.styles, value))
            lines.append(line)
            size += len(line)
            if size >= CHUNK:
                written += sheet.write("".join(lines).encode())
                lines, size = [], 0
                if piece := sink.taken():
                    yield piece
        sheet.write("".join([*lines, book.tail]).encode())
    packed.close()
    yield sink.taken()


def too_many_words() -> str:
    """That a list is too long for XLSX, and what to do, in the active language."""
    most = {"most": f"{MOST_XLSX_ROWS:,}"}
    return _("An XLSX file holds at most %(most)s rows, and these are more. Narrow the list or take CSV.") % most


def _row(number: int, letters: Sequence[str], row: Sequence[Any], cell: Any) -> str:
    cells = []
    for letter, value in zip(letters, row, strict=True):
        if value is not None and value != "":
            attributes, content = cell(value)
            cells.append(f'<c r="{letter}{number}"{attributes}>{content}</c>')
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(styles: dict[str, int], value: Value) -> tuple[str, str]:
    """The attributes and the content of a cell."""
    if isinstance(value, bool):
        value = yes_or_no(value)
    if isinstance(value, str):
        kept = _DIGITS.match(value) or runs_as_formula(value)
        return (f' s="{styles[_TEXT]}" t="inlineStr"' if kept else ' t="inlineStr"'), _text(value)
    if isinstance(value, datetime):
        serial = (local(value) - _EPOCH).total_seconds() / _DAY_SECONDS
        return f' s="{styles[_MOMENT]}"', f"<v>{serial!r}</v>"
    if isinstance(value, date):
        return f' s="{styles[_DAY]}"', f"<v>{(value - _EPOCH.date()).days}</v>"
    if isinstance(value, Decimal):
        return f' s="{styles[_MONEY]}"', f"<v>{value:.2f}</v>"
    return "", f"<v>{value}</v>"


def _text(value: str) -> str:
    text = _ESCAPE.sub("_x005F_", _NOT_IN_XML.sub("", value)[:_LONGEST_CELL].replace("\r\n", "\n").replace("\r", "\n"))
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f"<is><t{space}>{escape(text)}</t></is>"
