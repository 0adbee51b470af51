"""Where two texts that should be the same part ways, and what is typical about how they do."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

_AROUND = 24
_NAMED = {"\n": _("line feed"), "\r": _("carriage return"), "\t": _("tabulator"), " ": _("blank")}
MARK = "‹…›"  # where the secret stands


@dataclass(frozen=True, slots=True)
class Difference:
    """The first character that differs (`position` counts from 1), with what stands before and after it."""

    position: int
    before: str
    ours: str
    theirs: str
    our_character: str
    their_character: str
    hints: list[Any]


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with a mark wherever one of the secrets stands in it."""
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, MARK)
    return text


def difference(ours: str, theirs: str) -> Difference | None:
    """Where their text differs first from ours; None where it does not."""
    if ours == theirs:
        return None
    at = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]),
              min(len(ours), len(theirs)))  # fmt: skip
    return Difference(
        position=at + 1,
        before=ours[max(at - _AROUND, 0) : at],
        ours=ours[at : at + _AROUND],
        theirs=theirs[at : at + _AROUND],
        our_character=character_words(ours[at : at + 1]),
        their_character=character_words(theirs[at : at + 1]),
        hints=_hints(ours, theirs),
    )


def character_words(character: str) -> str:
    """A character so that also one that cannot be seen is seen."""
    if not character:
        return gettext("the end of the text")
    name = str(_NAMED.get(character, "")) or unicodedata.name(character, "?").lower()
    shown = f"“{character}” " if character.isprintable() and character != " " else ""
    return f"{shown}U+{ord(character):04X} {name}"


def _hints(ours: str, theirs: str) -> list[Any]:
    """What makes both the same."""
    slips: list[tuple[Any, Callable[[str], Any]]] = [
        (_("Only blanks or line breaks differ."), lambda text: "".join(text.split())),
        (_("Only upper and lower case differ."), str.casefold),
        (_("Theirs is percent-encoded: the plain values are signed."), unquote),
        (_("Theirs has + for blanks: the plain values are signed."), unquote_plus),
        (_("Full-width and plain characters differ."), lambda text: unicodedata.normalize("NFKC", text)),
        (_("It is the same characters in another order: names go in ASCII order, capitals first."), sorted),
    ]
    found = [words for words, same in slips if same(ours) == same(theirs)]
    if not found and theirs and theirs in ours:
        found.append(_("Theirs is a part of ours: something is missing in it."))
    if not found and ours and ours in theirs:
        found.append(_("Ours is a part of theirs: there is more in it than was received."))
    return found
