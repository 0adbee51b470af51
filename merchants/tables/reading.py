"""Reads a CSV or XLSX that staff upload, or text that they paste, as rows of texts.

What comes from outside is bounded before it is opened: bytes, rows, columns, cells, and for XLSX what it unpacks to.
Excel in Chinese writes CSV in GB18030; long numbers come from spreadsheets as floats. Both are read as meant.
"""

import csv
import io
import zipfile
from codecs import getincrementaldecoder
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

MOST_BYTES = 64 * 1024 * 1024
MOST_UNPACKED_BYTES = 512 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_COLUMNS = 50
LONGEST_CELL = 1000

_CHUNK = 1 << 20
_XLSX = b"PK\x03\x04"
_OLD_XLS = b"\xd0\xcf\x11\xe0"


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
    for number, cells in enumerate(found, 1):
        if number > MOST_ROWS + 1:  # one more, for a heading
            raise TableError(_("The table has more than %(most)s rows. Split it.") % {"most": f"{MOST_ROWS:,}"})
        if len(cells) > MOST_COLUMNS:
            raise TableError(_("Row %(row)s has more than %(most)s columns.") % {"row": number, "most": MOST_COLUMNS})
        texts = [cell.strip() for cell in cells]
        if any(len(text) > LONGEST_CELL for text in texts):
            said = {"row": number, "most": LONGEST_CELL}
            raise TableError(_("A cell in row %(row)s is longer than %(most)s characters.") % said)
        if any(texts):
            yield number, texts


def _head(source: IO[bytes]) -> bytes:
    source.seek(0)
    head = source.read(4)
    source.seek(0)
    return head


def _of_text(source: IO[bytes]) -> Iterator[list[str]]:
    text = io.TextIOWrapper(source, encoding=_encoding(source), newline="")
    try:
        first = text.readline(64 * 1024)
        text.seek(0)
        delimiter = max(",\t;", key=first.count)
        yield from csv.reader(text, delimiter=delimiter)
    except csv.Error as error:
        raise TableError(_("This is not a table: %(why)s.") % {"why": error}) from error
    finally:
        text.detach()  # the file stays its owner's


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


def _of_xlsx(source: IO[bytes]) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(source) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED_BYTES:
                raise TableError(_("This XLSX file unpacks to too much. Save it as CSV."))
        source.seek(0)
        book = load_workbook(source, read_only=True, data_only=True, keep_links=False)
    except TableError:
        raise
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError, SyntaxError) as error:
        raise TableError(_("This XLSX file cannot be read. Save it anew, or as CSV.")) from error
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write wrong ones
        for cells in sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1):
            texts = [_text(cell) for cell in cells]
            while texts and not texts[-1]:
                texts.pop()
            yield texts
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, SyntaxError) as error:
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
