"""Reads a CSV or XLSX that staff upload, or text that they paste, as rows of texts.

What comes from outside is bounded before it is opened: bytes, rows, columns, cells, and for XLSX what it unpacks to.
Excel in Chinese writes CSV in GB18030; long numbers come from spreadsheets as floats. Both are read as meant.
"""

import csv
import io
import zipfile
import zlib
from codecs import getincrementaldecoder
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import date, datetime
from typing import IO, Any
from xml.parsers.expat import ExpatError

from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

from merchants.tables.bounding import Macros, TooMuch, bounded_workbook

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_COLUMNS = 50
LONGEST_CELL = 1000
LONGEST_ROW = 2 * MOST_COLUMNS * LONGEST_CELL  # of CSV, with all its marks and doubled quotes

_CHUNK = 1 << 20
_XLSX = b"PK\x03\x04"
_OLD_XLS = b"\xd0\xcf\x11\xe0"
_NO_XLSX = (
    zipfile.BadZipFile, zlib.error, InvalidFileException, ExpatError,
    AttributeError, LookupError, TypeError, ValueError, OSError, NotImplementedError, RuntimeError, SyntaxError,
)  # fmt: skip  # what zipfile and openpyxl raise at files that others made


class TableError(ValueError):
    """The table cannot be read; the text says why and what to do, in the active language."""


def rows_of(source: IO[bytes] | str) -> Iterator[tuple[int, list[str]]]:
    """The rows of an uploaded file or of pasted text, as (number from 1, texts without blanks around them).

    Rows without any text are passed over, and counted. Nothing is held in memory but the row.

    Raises:
        TableError: while reading, too: not a table, too large, or an encoding nobody knows.
    """
    if isinstance(source, str):
        source = io.BytesIO(source.encode())
    size = source.seek(0, io.SEEK_END)
    head = _head(source)
    if size > MOST_BYTES:
        raise TableError(_("The file is larger than %(most)s MB. Split it.") % {"most": MOST_BYTES >> 20})
    if head == _OLD_XLS:
        raise TableError(_("This is an old .xls file. Save it as .xlsx or as CSV."))
    found = _of_xlsx(source) if head == _XLSX else _of_text(source)
    with closing(found):  # in front of the source, however it ends
        for number, cells in enumerate(found, 1):
            if number > MOST_ROWS + 1:  # one more, for a heading
                raise TableError(_("The table has more than %(most)s rows. Split it.") % {"most": f"{MOST_ROWS:,}"})
            if len(cells) > MOST_COLUMNS:
                raise TableError(
                    _("Row %(row)s has more than %(most)s columns.") % {"row": number, "most": MOST_COLUMNS}
                )
            texts = [cell.strip() for cell in cells]
            together = "".join(texts)
            if len(together) > LONGEST_CELL and any(len(text) > LONGEST_CELL for text in texts):
                said = {"row": number, "most": LONGEST_CELL}
                raise TableError(_("A cell in row %(row)s is longer than %(most)s characters.") % said)
            if together:
                yield number, texts


def _head(source: IO[bytes]) -> bytes:
    source.seek(0)
    head = source.read(4)
    source.seek(0)
    return head


def _of_text(source: IO[bytes]) -> Generator[list[str]]:
    text = io.TextIOWrapper(source, encoding=_encoding(source), newline="")
    try:
        first = text.readline(64 * 1024)
        text.seek(0)
        delimiter = max(",\t;", key=first.count)
        lines = _Lines()
        for row in csv.reader(lines.of(text), delimiter=delimiter):
            lines.row += 1
            lines.length = 0
            yield row
    except csv.Error as error:
        raise TableError(_("This is not a table: %(why)s.") % {"why": error}) from error
    finally:
        text.detach()  # the file stays its owner's


class _Lines:
    """The lines of a CSV, as long as those of one row (line breaks may be quoted) are not too long to be held.

    Whoever reads a row counts it, and sets the length back: what comes then is of the next row.
    """

    row, length = 1, 0

    def of(self, text: io.TextIOWrapper) -> Iterator[str]:
        """Each line of a text."""
        read = text.readline
        while line := read(LONGEST_ROW + 1):
            self.length += len(line)
            if self.length > LONGEST_ROW:
                said = {"row": self.row, "most": LONGEST_ROW}
                raise TableError(_("Row %(row)s is longer than %(most)s characters.") % said)
            yield line


def _encoding(source: IO[bytes]) -> str:
    """UTF-8 with or without a mark, else what Excel in Chinese writes."""
    for name in ("utf-8-sig", "gb18030"):
        decoder = getincrementaldecoder(name)()
        source.seek(0)
        try:
            while chunk := source.read(_CHUNK):
                if "\0" in decoder.decode(chunk):
                    raise TableError(_("This is not a CSV or XLSX file."))
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        source.seek(0)
        return name
    raise TableError(_("The encoding of this file is not known. Save it as CSV in UTF-8."))


def _of_xlsx(source: IO[bytes]) -> Generator[list[str]]:
    try:
        book = bounded_workbook(source)
    except TooMuch as error:
        raise TableError(_("This XLSX file unpacks to too much. Save it as CSV.")) from error
    except Macros as error:
        raise TableError(_("This file holds macros. Save it as .xlsx, which has none, or as CSV.")) from error
    except _NO_XLSX as error:
        raise TableError(_("This XLSX file cannot be read. Save it anew, or as CSV.")) from error
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write wrong ones
        for cells in sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1):
            texts = [_text(cell) for cell in cells]
            while texts and not texts[-1]:
                texts.pop()
            yield texts
    except _NO_XLSX as error:
        raise TableError(_("This XLSX file cannot be read. Save it anew, or as CSV.")) from error
    finally:
        book.close()


def _text(value: Any) -> str:
    """A cell as staff see it; a long number without the point that spreadsheets add."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)
