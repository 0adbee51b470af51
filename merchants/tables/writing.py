"""Writes rows while they come, as CSV here and as XLSX in `merchants.tables.xlsx`: whatever their number, nothing is
held in memory but a few of them, and the first bytes leave at once.

CSV is what other programs read, XLSX what people open. Both say the same: a cell is typed by its Python type
(`Value`), instants become Shanghai time, money (a Decimal, in yuan) has two decimals, and no cell is a formula.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from merchants.clock import SHANGHAI

Value = str | int | Decimal | datetime | date | bool | None
Row = Sequence[Value]

CHUNK = 64 * 1024

_BOM = "\ufeff"  # without it Excel reads UTF-8 as something else
# What a spreadsheet may take for a formula, also behind blanks and in the wide forms of Chinese keyboards.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,10})?\Z")


def csv_chunks(headings: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """The table as CSV (UTF-8 with a mark, lines end in CRLF), in pieces of some 64 KiB.

    A text that a spreadsheet would take for a formula begins with an apostrophe. Numbers are no texts: -5.00 stays.

    Raises:
        Whatever `rows` raises, after a last line that says in words that the file is not whole: not every program
        that fetches a file notices that its answer broke off.
    """
    text = io.StringIO()
    write = csv.writer(text).writerow
    text.write(_BOM)
    write([_defused(heading) for heading in headings])
    try:
        for row in rows:
            write([_cell(value) for value in row])
            if text.tell() >= CHUNK:
                yield _taken(text)
    except Exception:
        write([_("THE EXPORT BROKE OFF HERE. This file is not complete: export again.")])
        yield _taken(text)
        raise
    yield _taken(text)


def runs_as_formula(text: str) -> bool:
    """Whether a spreadsheet may run the text. A plain number is no danger, whatever its sign."""
    return bool(_FORMULA.match(text)) and not _NUMBER.match(text)


def local(instant: datetime) -> datetime:
    """The instant as clocks in Shanghai show it, to the second and without a zone: spreadsheets know none."""
    shown = instant.astimezone(SHANGHAI) if instant.tzinfo else instant
    return shown.replace(tzinfo=None, microsecond=0)


def yes_or_no(value: bool) -> str:
    """The word for it, in the active language."""
    return _("Yes") if value else _("No")


def _taken(text: io.StringIO) -> bytes:
    taken = text.getvalue().encode(errors="replace")
    text.seek(0)
    text.truncate()
    return taken


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return _defused(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return yes_or_no(value)
    if isinstance(value, datetime):
        return local(value).isoformat(sep=" ")
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def _defused(text: str) -> str:
    text = text.replace("\0", "")
    return f"'{text}" if runs_as_formula(text) else text
