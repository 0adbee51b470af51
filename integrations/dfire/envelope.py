"""From an HTTP answer to dfire's `model`, or to the error that says what to do (PROTOCOLS §1 "Response").

The body speaks before the HTTP status: a dfire-shaped error is classed by its code whatever the status,
because only dfire knows what it did. An answer that is not dfire's is judged by the status alone:

* 429 and 503 say that the request was turned away at the door: retryable, for writes too.
* Anything else (500, 502, 504, a redirect, 404, HTML with 200, nothing at all) may come from a proxy that
  lost the answer after dfire had acted. A write is then uncertain; asking first is always safe.
* For a call that only reads, a redirect and the other 4xx mean a wrong address or a locked door, which
  staff must mend: configuration. The rest is retryable. So an uncertain write whose question meets the
  same 404 still ends in the right hands.
"""

import json
import re
from dataclasses import dataclass

from .codes import ResultClass, asks_to_slow_down, classify_gateway, classify_result, unknown_outcome
from .errors import DfireError, error_of
from .exchange import storable

_TEXT_LIMIT = 500
_CODE_LIMIT = 100
_SUB_ERRORS = 20
_REPAIR_LIMIT = 65_536  # characters; the misprinted form only ever wraps one value

# Seed 003 prints `"model": [ { "285c…" } ]` and `"model": [ { true } ]`: braces around a bare value.
_MISPRINTED_MODEL = re.compile(
    r'("model"\s*:\s*)(\[\s*)?\{\s*("(?:[^"\\]|\\.)*"|true|false)\s*\}(?(2)\s*\])', re.DOTALL
)

_TURNED_AWAY = frozenset({429, 503})
_WRONG_ADDRESS = frozenset({301, 302, 303, 307, 308}) | (frozenset(range(400, 500)) - {408, 425, 429})


@dataclass(frozen=True, slots=True)
class Envelope:
    """A successful answer: its `model`, None when absent, and the texts beside it, "" when absent."""

    model: object
    result_code: str = ""
    message: str = ""


def open_envelope(*, status: int, body: bytes, writes: bool) -> Envelope:
    """Return what a successful answer holds; raise the DfireError that any other one stands for."""
    document = _parse(body)
    if document is None:
        raise _not_dfire(status=status, writes=writes, found="an answer that is not dfire's")
    if "errorToken" in document:
        raise _gateway_error(document, status=status, writes=writes)
    success = as_flag(document.get("success"))
    if success is False:
        raise _refusal(document, status=status, writes=writes)
    if success is None or not 200 <= status < 300:
        raise _not_dfire(status=status, writes=writes, found="an answer that contradicts itself")
    return Envelope(
        model=document.get("model"),
        result_code=as_text(document.get("resultCode"), limit=_CODE_LIMIT).strip(),
        message=as_text(document.get("message")),
    )


def as_flag(value: object) -> bool | None:
    """Read a boolean that may have become a string on its way; None if it is neither."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def as_text(value: object, *, limit: int = _TEXT_LIMIT) -> str:
    """Read a string that may have become an integer on its way; "" if it is neither."""
    if isinstance(value, str):
        return storable(value, limit=limit)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _parse(body: bytes) -> dict[str, object] | None:
    try:
        text = body.decode("utf-8-sig")
        document = _load(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return None
    return document if isinstance(document, dict) else None


def _load(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        if len(text) > _REPAIR_LIMIT:
            raise
        mended, count = _MISPRINTED_MODEL.subn(r"\1[\3]", text, count=1)
        if not count:
            raise
        return json.loads(mended, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _gateway_error(document: dict[str, object], *, status: int, writes: bool) -> DfireError:
    code = as_text(document.get("code"), limit=_CODE_LIMIT).strip()
    sub_errors = document.get("subErrors")
    rows = sub_errors[:_SUB_ERRORS] if isinstance(sub_errors, list) else []
    sub_codes = tuple(as_text(row.get("code"), limit=_CODE_LIMIT) for row in rows if isinstance(row, dict))
    details = [as_text(row.get("message")) for row in rows if isinstance(row, dict)]
    texts = [as_text(document.get("message")), as_text(document.get("solution")), *details]
    return error_of(
        classify_gateway(code, sub_codes=sub_codes, writes=writes),
        "; ".join(filter(None, texts))[:_TEXT_LIMIT] or f"gateway error {code or 'without a code'}",
        code=code,
        sub_codes=tuple(filter(None, sub_codes)),
        http_status=status,
        slow_down=asks_to_slow_down(code) or status == 429,
    )


def _refusal(document: dict[str, object], *, status: int, writes: bool) -> DfireError:
    code = as_text(document.get("resultCode"), limit=_CODE_LIMIT).strip()
    return error_of(
        classify_result(code, writes=writes),
        as_text(document.get("message")) or f"refused by dfire, result code {code or 'missing'}",
        code=code,
        http_status=status,
        slow_down=status == 429,
    )


def _not_dfire(*, status: int, writes: bool, found: str) -> DfireError:
    result_class = unknown_outcome(writes=writes)
    if status in _TURNED_AWAY:
        result_class = ResultClass.RETRYABLE
    elif status in _WRONG_ADDRESS and not writes:
        result_class = ResultClass.CONFIGURATION
    return error_of(result_class, f"HTTP {status}: {found}", http_status=status, slow_down=status == 429)
