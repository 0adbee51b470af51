"""What there is to say of a signature."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.signatures.differences import Difference


class Verdict(Enum):
    """What a signature is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"  # there is none to compare with
    NOT_SIGNED = "not signed"  # this kind of message has none


class Unreadable(Exception):
    """What was pasted is not a message of this kind; `field` says which of the pasted things it is."""

    def __init__(self, message: Any, *, field: str = "message") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


@dataclass(slots=True, kw_only=True)
class Report:
    """The verdict. `canonical` are the texts that are signed, with `around` for the secret's place in them; where a
    message can be signed in several ways, so are there several, and as many `expected` signatures in the same order."""

    verdict: Verdict
    method: str
    canonical: list[str] = field(default_factory=list)
    around: tuple[str, str] = ("", "")
    expected: list[str] = field(default_factory=list)
    given: str = ""
    facts: list[tuple[Any, str]] = field(default_factory=list)
    hints: list[Any] = field(default_factory=list)
    difference: Difference | None = None


NOTHING_FITS = _(
    "None of the usual slips makes the given signature. Most often the secret is another one: enter it anew on both "
    "sides. Else paste the text that the other side signs, and see where it differs."
)
