"""What was said to dfire and what came back: the record that every reply and every error carries.

A caller keeps it as the attempt. It never holds the secret or the signature, its texts are bounded, and
they hold nothing that a UTF-8 database would refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")

ANSWER_CHARACTERS = 4000
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call: `request` are the parameters without `sign`, `answer` the start of the body as text."""

    method: str
    request: Mapping[str, str]
    http_status: int | None  # None: no status line arrived
    answer: str
    started_at: datetime  # aware, UTC
    duration_ms: int
    clock_ahead_seconds: int | None = None  # our clock, compared with the answer's Date header; None: it had none


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A call that succeeded: what it returned, and the exchange."""

    value: T
    exchange: Exchange


def storable(text: str, *, limit: int = ANSWER_CHARACTERS) -> str:
    """Return `text` cut to `limit` characters, without NULs and lone surrogates."""
    cut = text[:limit].replace("\x00", _REPLACEMENT)
    return "".join(_REPLACEMENT if "\ud800" <= char <= "\udfff" else char for char in cut)


def answer_text(body: bytes) -> str:
    """Return the start of an answer's body for the record, whatever bytes it is made of."""
    return storable(body[: 4 * ANSWER_CHARACTERS].decode("utf-8", "replace"))
