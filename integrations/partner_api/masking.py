"""What is kept of a call's words: who a customer is and what opens something is taken out, then it is cut.

Openids by the name of their field, because they look like any other word, and so are identifiers, which may be openids:
short ones, which are none, stay. Mobile numbers by their form, wherever they stand.
"""

import json
import re
from typing import Any

from merchants.admin.masking import masked_text

MOST_BYTES = 4096
_PERSONAL = re.compile(r"openid|mobile|phone", re.IGNORECASE)
_SECRET = re.compile(r"secret|token|password|signature|authorization|api_?key|^sign$", re.IGNORECASE)
_PERSONAL_IN_QUERY = re.compile(r"((?:openid|mobile|phone)=)([^&]*)", re.IGNORECASE)
_IDENTIFIER = re.compile(r"identifier", re.IGNORECASE)
_IDENTIFIER_IN_LINE = re.compile(r"(/customers/|identifier=)([^/?&]*)", re.IGNORECASE)
_DEEPEST = 8  # as bodies are read; only what is refused is nested deeper
_SHOWN = 4
_HIDDEN = "****"


def masked(value: Any, name: str = "", deepest: int = _DEEPEST) -> Any:
    """A JSON value, masked; `name` is the field in which it stands. What is nested deeper is left out."""
    if _SECRET.search(name) and value not in (None, ""):
        return _HIDDEN
    if isinstance(value, dict | list | tuple) and deepest == 0:
        return "…"
    if isinstance(value, dict):
        return {masked_text(str(key)): masked(inner, str(key), deepest - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, name, deepest - 1) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = masked_text(str(value))
    if _PERSONAL.search(name) and text and text == str(value):
        return hidden(text)
    if _IDENTIFIER.search(name):
        return _identifier(str(value))
    return value if isinstance(value, int | float) and text == str(value) else text


def masked_line(text: str) -> str:
    """An address with its query, masked."""
    text = _IDENTIFIER_IN_LINE.sub(lambda found: found[1] + _identifier(found[2]), text)
    return masked_text(_PERSONAL_IN_QUERY.sub(lambda found: found[1] + hidden(found[2]), text))


def hidden(text: str) -> str:
    """The beginning of a word, if it is long enough to tell nothing by that."""
    return f"{text[:_SHOWN]}{_HIDDEN}" if len(text) > 2 * _SHOWN else _HIDDEN


def _identifier(text: str) -> str:
    """What a customer is called: a mobile number as everywhere, of another long one the beginning."""
    word = masked_text(text)
    return hidden(text) if word == text and len(text) > 2 * _SHOWN else word


def bounded(value: Any) -> str:
    """The value as JSON on one line, of which at most 4 KiB in UTF-8 are kept."""
    text = json.dumps(value, ensure_ascii=False, default=str).replace("\\u0000", "\\ufffd")
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MOST_BYTES:
        return raw.decode("utf-8")
    return raw[: MOST_BYTES - 3].decode("utf-8", "ignore") + "…"
