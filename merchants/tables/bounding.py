"""Opens an XLSX that somebody uploaded so that nothing in it fills the memory.

XLSX is a ZIP of XML, and both deflate a thousand to one. openpyxl holds some parts whole (styles, the workbook), and of
the streamed ones (sheets, shared strings) whatever stands within one row or string. So each part is walked first, by a
parser that keeps nothing, and refused where it would hold too much. What a part is called does not matter, but how
openpyxl opens it: `read` holds it whole, `open` streams it.
"""

import zipfile
from typing import IO, Any
from xml.parsers import expat

from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader
from openpyxl.workbook import Workbook

MOST_UNPACKED_BYTES = 512 * 1024 * 1024  # of all parts
MOST_WHOLE_BYTES = 16 * 1024 * 1024  # of a part that is held whole
MOST_STRINGS_BYTES = 64 * 1024 * 1024
MOST_PARTS = 10_000
MOST_WHOLE_ELEMENTS = 100_000
MOST_UNITS = 2_000_000  # rows of a sheet, or shared strings
MOST_WITHIN = 16 * 1024  # elements of one row: Excel's columns
MOST_LOOSE = 200_000  # elements of a streamed part that are in no row
MOST_CHARACTERS = 4_000_000  # of one row, or of one tag
MOST_LOOSE_CHARACTERS = 64_000_000  # blanks between rows

_CHUNK = 64 * 1024
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_UNITS = (f"{_MAIN} row", f"{_MAIN} si")
_PROGRAMS = ("vbaproject.bin", "vbadata.xml")
_ENTRY = b"PK\x01\x02"


class TooMuch(Exception):
    """The archive would take too much memory."""


class Macros(Exception):
    """The workbook holds programs. They would not run here, but a table needs none."""


def bounded_workbook(source: IO[bytes]) -> Workbook:
    """The workbook, to be read row by row; its sheets are those with cells.

    Raises:
        TooMuch: it would take too much memory.
        Macros: it holds programs.
        ExpatError, BadZipFile, KeyError, ValueError, OSError, SyntaxError: it is no XLSX.
    """
    _few_parts(source)
    reader = _Reader(source, read_only=True, data_only=True, keep_links=False)
    reader.archive = Archive(source)
    if any(name.lower().endswith(_PROGRAMS) for name in reader.archive.namelist()):
        raise Macros
    reader.read()
    return reader.wb


class Archive(zipfile.ZipFile):
    """An archive each of whose parts is walked before it is first given away."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__(source)
        self._walked: set[str] = set()
        if sum(part.file_size for part in self.infolist()) > MOST_UNPACKED_BYTES:
            raise TooMuch

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        """A part whole."""
        if self.getinfo(name).file_size > MOST_WHOLE_BYTES:
            raise TooMuch
        self._walk(name, _Whole())
        return super().read(name, pwd)

    def open(self, name: Any, *options: Any, **named: Any) -> IO[bytes]:
        """A part to be streamed."""
        if name not in self._walked:
            self._walk(name, _Streamed())
        return super().open(name, *options, **named)

    def _walk(self, name: str, counting: "_Whole | _Streamed") -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.ordered_attributes = True
        parser.StartElementHandler = counting.start
        parser.EndElementHandler = counting.end
        parser.CharacterDataHandler = counting.characters
        parser.StartDoctypeDeclHandler = _refuse
        fed = 0
        with super().open(name) as part:
            while chunk := part.read(_CHUNK):
                parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - parser.CurrentByteIndex > MOST_CHARACTERS:
                    raise TooMuch  # one tag without end
        parser.Parse(b"", True)
        self._walked.add(name)


class _Reader(ExcelReader):
    """Passes over what a table does not need."""

    def read_strings(self) -> None:
        """The shared strings, which are all held."""
        part = self.package.find(SHARED_STRINGS)
        if part is not None and self.archive.getinfo(part.PartName[1:]).file_size > MOST_STRINGS_BYTES:
            raise TooMuch
        super().read_strings()

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """A sheet without cells, which would be held whole."""


class _Whole:
    """Counts the elements of a part that is held whole; its bytes are bounded."""

    def __init__(self) -> None:
        self.elements = 0

    def start(self, tag: str, attributes: list[str]) -> None:
        self.elements += 1
        if self.elements > MOST_WHOLE_ELEMENTS:
            raise TooMuch

    def end(self, tag: str) -> None:
        """Nothing is let go of."""

    def characters(self, text: str) -> None:
        """Bounded with the bytes."""


class _Streamed:
    """Counts rows (or shared strings), what is within one of them, and what is in none."""

    def __init__(self) -> None:
        self.units = self.loose = self.loose_characters = 0
        self.depth = self.within = self.within_characters = 0

    def start(self, tag: str, attributes: list[str]) -> None:
        if self.depth or tag in _UNITS:
            if not self.depth:
                self.units += 1
                self.within = self.within_characters = 0
            self.depth += 1
            self.within += 1
        else:
            self.loose += 1
        if self.units > MOST_UNITS or self.within > MOST_WITHIN or self.loose > MOST_LOOSE:
            raise TooMuch
        if attributes:
            self.characters("".join(attributes))

    def end(self, tag: str) -> None:
        if self.depth:
            self.depth -= 1

    def characters(self, text: str) -> None:
        if self.depth:
            self.within_characters += len(text)
        else:
            self.loose_characters += len(text)
        if self.within_characters > MOST_CHARACTERS or self.loose_characters > MOST_LOOSE_CHARACTERS:
            raise TooMuch


def _refuse(*_said: Any) -> None:
    """A document type declares entities that expand; no program writes one."""
    raise TooMuch


def _few_parts(source: IO[bytes]) -> None:
    """The list of parts is read whole when an archive is opened."""
    source.seek(0)
    found, tail = 0, b""
    while chunk := source.read(1 << 20):
        found += (tail + chunk).count(_ENTRY)
        tail = chunk[-3:]
        if found > MOST_PARTS:
            raise TooMuch
    source.seek(0)
