"""Reading single fields of a push: of the right type, in bounds, in the platform's units (PROTOCOLS §2)."""

import re
from datetime import datetime
from decimal import Context, Decimal, Inexact
from typing import Any

from integrations.hooks.refusals import invalid
from merchants.clock import SHANGHAI

LONGEST_ID = 64
LONGEST_IDENTIFIER = 128
LARGEST_NUMBER = 10**9
FEN_PER_YUAN = 100
FIRST_YEAR, LAST_YEAR = 2000, 2199  # outside of them a date is a slip
_SMALLEST_EXPONENT = -9
# Eighteen digits and their product with 100 are exact under the default context; more would be rounded unseen.
_EXACT = Context(prec=18, traps=[Inexact])
_TIME_FORM = "%Y-%m-%d %H:%M:%S"
# strptime alone would let 2026-1-1, other alphabets' digits and other blanks pass
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\Z")


class Fields:
    """The fields of one push's body. Every reader raises `HookRefused` that names its field."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._body.get(name) is not None

    def text(self, name: str, *, longest: int) -> str:
        """A text that is not blank; surrounding blanks do not count."""
        value = self._required(name)
        if not isinstance(value, str):
            raise invalid(name, "must be a text.")
        return self._bounded(name, value, longest)

    def optional_text(self, name: str, *, longest: int) -> str:
        """A text that may be missing or blank."""
        value = self._body.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return ""
        return self.text(name, longest=longest)

    def id(self, name: str, *, longest: int = LONGEST_ID) -> str:
        """An id: a text, or a whole number, which is treated as its digits."""
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise invalid(name, "must be a text or a whole number.")
        return self._bounded(name, str(value), longest)

    def number(self, name: str, *, default: Decimal | None = None) -> Decimal:
        """A number as it stands, 10 and 10.0 alike."""
        if default is not None and not self.has(name):
            return default
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise invalid(name, "must be a number.")
        if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            raise invalid(name, "is out of bounds.")
        try:
            number = _EXACT.create_decimal(value)
        except Inexact:
            number = None
        if number is None or (number and number.adjusted() < _SMALLEST_EXPONENT):
            raise invalid(name, "has too many digits.")
        return number

    def whole(self, name: str) -> int:
        """A whole number."""
        number = self.number(name)
        if number != number.to_integral_value():
            raise invalid(name, "must be a whole number.")
        return int(number)

    def choice(self, name: str, choices: tuple[int, ...]) -> int:
        """One of some whole numbers."""
        value = self.whole(name)
        if value not in choices:
            raise invalid(name, f"must be one of {', '.join(map(str, choices))}.")
        return value

    def fen(self, name: str, *, default: Decimal | None = None) -> int:
        """Yuan, as whole fen."""
        fen = self.number(name, default=default) * FEN_PER_YUAN
        if fen < 0:
            raise invalid(name, "must not be negative.")
        if fen != fen.to_integral_value():
            raise invalid(name, "must have at most two decimals.")
        return int(fen)

    def instant(self, name: str) -> datetime:
        """`yyyy-MM-dd HH:mm:ss` in Shanghai, as an aware instant."""
        value = self.text(name, longest=19)
        try:
            parsed = datetime.strptime(value, _TIME_FORM) if _TIME.match(value) else None  # noqa: DTZ007
        except ValueError:
            parsed = None
        if parsed is None or not FIRST_YEAR <= parsed.year <= LAST_YEAR:
            raise invalid(name, "must be a time written as yyyy-MM-dd HH:mm:ss.")
        return parsed.replace(tzinfo=SHANGHAI)

    def _required(self, name: str) -> Any:
        if not self.has(name):
            raise invalid(name, "is missing.")
        return self._body[name]

    @staticmethod
    def _bounded(name: str, value: str, longest: int) -> str:
        value = value.strip()
        if not value:
            raise invalid(name, "is empty.")
        if len(value) > longest:
            raise invalid(name, f"is longer than {longest} characters.")
        return value
