"""The rows of a binding file: which column is which, and what is meant by what was typed.

Headings are recognised in Chinese and English in any order; without headings the columns are identifier, mobile,
openid. Nothing is looked up here.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _

from merchants.models.customer import is_mobile
from merchants.tables import TableError, rows_of

MOST_ROWS = 20_000
MOST_BYTES = 5 * 1024 * 1024
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: its number in the file, and what it says. A mobile that is none stands here as it was typed."""

    number: int
    identifier: str
    mobile: str
    openid: str

    @property
    def name(self) -> str:
        """By what the row names its customer: the identifier, else the mobile number."""
        return self.identifier or self.mobile


def entries_of(source: IO[bytes] | str) -> Iterator[Entry]:
    """The rows of an uploaded file or of pasted text, in its order.

    Raises:
        TableError: while reading, too; it says what is wrong in the active language.
    """
    if not isinstance(source, str) and _size(source) > MOST_BYTES:
        raise TableError(_("The file is larger than %(most)s MB. Split it.") % {"most": MOST_BYTES >> 20})
    columns: list[str] = []
    found = 0
    for number, cells in rows_of(source):
        cells = [_plain(cell) for cell in cells]
        if not columns:
            columns, is_heading = _columns(cells)
            if is_heading:
                continue
        found += 1
        if found > MOST_ROWS:
            raise TableError(_("The table has more than %(most)s rows. Split it.") % {"most": f"{MOST_ROWS:,}"})
        said = dict(zip(columns, cells, strict=False))
        yield Entry(number, said.get("identifier", ""), mobile_of(said.get("mobile", "")), said.get("openid", ""))
    if not found:
        raise TableError(_("There are no rows below the headings."))


def mobile_of(text: str) -> str:
    """A mobile number without blanks, dashes and the country's prefix; what is none stays as it is."""
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
    return unicodedata.normalize("NFKC", cell).strip().strip("\N{ZERO WIDTH NO-BREAK SPACE}'").strip()


def _size(source: IO[bytes]) -> int:
    size = source.seek(0, 2)
    source.seek(0)
    return size
