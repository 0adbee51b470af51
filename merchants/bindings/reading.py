"""The rows of a customer file: which column is which, and what is meant by what was typed.

Headings are recognised in Chinese and English in any order; without headings the columns are identifier, mobile,
openid. Nothing is looked up here. There may be a million rows, so whatever is plain already is passed on as it is.
"""

import re
import unicodedata
from collections.abc import Generator
from typing import IO, NamedTuple

from django.utils.translation import gettext as _

from merchants.choices import Why
from merchants.models.customer import ERASED, is_mobile
from merchants.tables import MOST_COLUMNS, TableError, rows_of

LONGEST = 128  # of an identifier and of an openid, as their columns are
_LONGEST_KEPT = 1000  # of a cell of a row that is not done, as the columns of `CustomerFileRow` are
EXAMPLE = "会员标识,手机号,openid\r\n13800138000,13800138000,oExample0000000000000000001\r\nVIP-0042,13900139000,\r\n"

_NAMES = {
    "identifier": "identifier customer 会员标识 会员标识/编号 标识 编号 会员编号 会员号 会员id",
    "mobile": "mobile phone 手机号 手机号码 手机 电话 会员手机号",
    "openid": "openid open_id 微信openid 会员openid 用户openid",
}
_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names.split()}
_ORDERS = {2: ["identifier", "openid"], 3: ["identifier", "mobile", "openid"]}
_REMARK = re.compile(r"[(\[].*")
_COUNTRY = re.compile(r"(?:\+|00)?86(?=1[0-9]{10}\Z)")
_LOOKS_LIKE_OPENID = re.compile(r"[A-Za-z0-9_-]{16,}\Z")
_OPENID = re.compile(r"[!-~]+\Z")
# A row as nearly all are, told by one look: typed plainly, and nothing wrong with it.
_IDENTIFIER, _SIGNS = "(?!erased:)[ -&(-~]{1,128}", "[!-&(-~]{1,128}"
_IS_PLAIN = re.compile(
    rf"(?:{_IDENTIFIER})?\t1[0-9]{{10}}\t(?:(?!1[0-9]{{10}}\Z){_SIGNS})?\Z"
    rf"|{_IDENTIFIER}\t\t(?!1[0-9]{{10}}\Z){_SIGNS}\Z"
).match


class Entry(NamedTuple):
    """One row: its number in the file, what it says, and what is wrong with that by itself, whoever is known. A mobile
    that is none stands here as it was typed."""

    number: int
    identifier: str
    mobile: str
    openid: str
    why: str = ""


def entries_of(source: IO[bytes] | str) -> Generator[Entry]:
    """The rows of an uploaded file or of pasted text, in its order.

    Raises:
        TableError: while reading, too; it says what is wrong in the active language.
    """
    at: list[int] | None = None
    empty = True
    for number, cells in rows_of(source):
        if at is None:
            columns, is_heading = _columns([_plain(cell) for cell in cells])
            at = [columns.index(name) if name in columns else MOST_COLUMNS for name in _ORDERS[3]]
            if is_heading:
                continue
        empty = False
        width = len(cells)
        identifier, mobile, openid = [cells[place] if place < width else "" for place in at]
        if _IS_PLAIN(f"{identifier}\t{mobile}\t{openid}"):
            yield Entry(number, identifier, mobile, openid)
            continue
        said = (_plain(identifier), mobile_of(_plain(mobile)), _plain(openid))
        if why := fault_of(*said):
            said = (said[0][:_LONGEST_KEPT], said[1][:_LONGEST_KEPT], said[2][:_LONGEST_KEPT])
        yield Entry(number, *said, why or "")
    if empty:
        raise TableError(_("There are no rows below the headings."))


def fault_of(identifier: str, mobile: str, openid: str) -> Why | None:
    """What is wrong with a row by itself, whoever is known."""
    if mobile and not is_mobile(mobile):
        return Why.BAD_MOBILE
    if not identifier and not mobile:
        return Why.NOBODY
    if not mobile and not openid:
        return Why.NOTHING
    if len(identifier) > LONGEST:
        return Why.TOO_LONG
    if not identifier.isprintable():
        return Why.NOT_READABLE
    if openid and (len(openid) > LONGEST or not _OPENID.match(openid) or is_mobile(openid)):
        return Why.BAD_OPENID
    return Why.WAS_ERASED if identifier.startswith(ERASED) else None


def mobile_of(text: str) -> str:
    """A mobile number without blanks, dashes and the country's prefix; what is none stays as it is."""
    if is_mobile(text):
        return text
    digits = _COUNTRY.sub("", text.replace(" ", "").replace("-", "").replace("\N{NO-BREAK SPACE}", ""))
    return digits if is_mobile(digits) else text


def _columns(first: list[str]) -> tuple[list[str], bool]:
    """What each column holds, and whether the first row says so itself."""
    named = [_COLUMN_OF.get(_REMARK.sub("", cell).replace(" ", "").casefold(), "") for cell in first]
    known = [name for name in named if name]
    if len(known) != len(set(known)):
        raise TableError(_("Two columns have the same heading."))
    if known:
        if "openid" not in known and "mobile" not in known:
            raise TableError(_("A column for the openid or the mobile number is missing."))
        if "identifier" not in known and "mobile" not in known:
            raise TableError(_("A column that names the customer is missing: identifier or mobile number."))
        return named, True
    is_data = any(is_mobile(mobile_of(cell)) or _LOOKS_LIKE_OPENID.match(cell) for cell in first)
    if is_data and len(first) in _ORDERS:
        return _ORDERS[len(first)], False
    raise TableError(_("The first row must name the columns: identifier, mobile, openid (会员标识, 手机号, openid)."))


def _plain(cell: str) -> str:
    """Full-width digits and signs, as Chinese keyboards type them, become plain ones."""
    if cell.isascii() and "'" not in cell:
        return cell
    return unicodedata.normalize("NFKC", cell).strip().strip("\N{ZERO WIDTH NO-BREAK SPACE}'").strip()
