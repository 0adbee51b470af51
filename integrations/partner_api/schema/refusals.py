"""The error answers: one form, and which codes each call can give with which status.

What the fields of a call can do wrong is read off its fields; only what the domain refuses stands in `calls`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import override
from drf_standardized_errors.types import CLIENT_ERROR, SERVER_ERROR, VALIDATION_ERROR
from rest_framework import serializers

from coupons.errors import Reason
from integrations.partner_api.errors import ApiCode, codes
from integrations.partner_api.fields import Strict
from integrations.partner_api.schema.answers import Answer
from integrations.partner_api.values import Count, Day, Fen, Moment, PageCursor, Text

JsonSchema = dict[str, Any]
Refusal = ApiCode | Reason

with override("en"):
    _STATUS_AND_MEANING = {
        code: (status, meaning) for code, status, meaning in sorted(codes(), key=lambda known: known[1])
    }
CODES = tuple((code, f"{status}. {meaning}") for code, (status, meaning) in _STATUS_AND_MEANING.items())
TYPES = (
    (VALIDATION_ERROR, "400: the body or a filter is at fault"),
    (CLIENT_ERROR, "any other 4xx"),
    (SERVER_ERROR, "5xx: repeat the call with the same Idempotency-Key"),
)
_EVERYWHERE = (
    ApiCode.NOT_AUTHENTICATED, ApiCode.AUTHENTICATION_FAILED, ApiCode.KEY_EXPIRED, ApiCode.PERMISSION_DENIED,
    ApiCode.ADDRESS_NOT_ALLOWED, ApiCode.THROTTLED, ApiCode.TOO_MANY_UNKNOWN_CODES,
    ApiCode.ERROR, ApiCode.UNAVAILABLE,
)  # fmt: skip
_WITH_A_BODY = (ApiCode.PARSE_ERROR, ApiCode.TOO_LARGE, ApiCode.WRONG_MEDIA_TYPE)
_AT_A_POST = (ApiCode.INVALID_IDEMPOTENCY_KEY, ApiCode.KEY_REUSED)
# Answers that look the same for every call that gives them, by status.
SHARED = {
    401: ("Unauthorized", "The key is missing, not known, or has ended."),
    403: ("Forbidden", "The app lacks the scope of this call, or the key may not be used from this address."),
    413: ("TooLarge", "The body is over 64 KiB."),
    415: ("WrongMediaType", "The body is not application/json."),
    429: ("Throttled", "Too many calls, unknown codes or wrong keys. Wait for as long as Retry-After says."),
    500: ("ServerError", "A fault of ours. Repeat the call with the same Idempotency-Key."),
    503: ("Unavailable", "The database does not answer. Repeat the call in a moment."),
}
_ITS_OWN = {
    400: "Bad input. Nothing has been changed.",
    404: "There is no such thing among the app's own.",
    409: "It does not go with how things stand. Nothing has been changed.",
    422: "The same name came with something else before. Nothing has been changed.",
}
_RETRY_AFTER = ("Seconds after which to try again.", {"type": "integer"})
RATE = {
    "X-RateLimit-Limit": ("Calls that the key may make in a second.", {"type": "integer"}),
    "X-RateLimit-Remaining": ("How many of them are left.", {"type": "integer"}),
    "X-RateLimit-Reset": ("Seconds until all of them are there again.", {"type": "integer"}),
}
_HEADERS = {
    401: {"WWW-Authenticate": ("The scheme.", {"type": "string", "const": "Api-Key"})},
    429: {"Retry-After": _RETRY_AFTER, **RATE},
    503: {"Retry-After": _RETRY_AFTER},
}


class Error(Answer):
    """One thing that is wrong."""

    code = serializers.ChoiceField(CODES)
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class RefusalSerializer(Answer):
    """Why a call has done nothing. Every error answer has this form."""

    type = serializers.ChoiceField(TYPES)
    errors = Error(many=True, allow_empty=False)  # type: ignore[assignment]  # DRF has an `errors` of its own


def by_status(
    method: str, body: type[Strict] | None, query: type[Strict] | None, address: type[Strict] | None,
    own: Iterable[Refusal],
) -> dict[int, list[str]]:  # fmt: skip
    """The codes that a call can answer, by status, in the order of the enum."""
    can: set[str] = {kind.code if isinstance(kind, ApiCode) else kind.value for kind in (*_EVERYWHERE, *own)}
    if method in ("POST", "PUT"):
        can |= {kind.code for kind in _WITH_A_BODY}
    if method == "POST":
        can |= {kind.code for kind in _AT_A_POST}
    if body is not None:
        can |= {kind.code for kind in _of_fields(body(), nulls=True)}
    if query is not None:
        can |= {kind.code for kind in _of_fields(query(), nulls=False)} | {ApiCode.INVALID.code}
    if address is not None:
        missing = {ApiCode.REQUIRED, ApiCode.UNKNOWN_FIELD}
        can |= {kind.code for kind in set(_of_fields(address(), nulls=False)) - missing}
    found: dict[int, list[str]] = defaultdict(list)
    for code, (status, _meaning) in _STATUS_AND_MEANING.items():
        if code in can:
            found[status].append(code)
    return dict(sorted(found.items()))


def answer(status: int, codes: list[str]) -> JsonSchema:
    """The answer of a call with this status, which has one of these codes."""
    if status in SHARED:
        return {"$ref": f"#/components/responses/{SHARED[status][0]}"}
    return _answer(status, codes, _ITS_OWN[status])


def shared_answers() -> dict[str, JsonSchema]:
    """The answers that are the same everywhere, as components."""
    by_code = [(code, status) for code, (status, _meaning) in _STATUS_AND_MEANING.items()]
    return {
        name: _answer(status, [code for code, its in by_code if its == status], words)
        for status, (name, words) in SHARED.items()
    }


def examples() -> dict[str, JsonSchema]:
    """An error answer with each code, as components."""
    return {code: {"summary": meaning, "value": _example(code)} for code, (_s, meaning) in _STATUS_AND_MEANING.items()}


def described(headers: Mapping[str, tuple[str, JsonSchema]]) -> JsonSchema:
    """Headers of an answer; any of them may be missing, as the limits are where calls are not counted."""
    return {name: {"description": said, "schema": schema} for name, (said, schema) in headers.items()}


def _answer(status: int, codes: list[str], words: str) -> JsonSchema:
    only = {"errors": {"items": {"properties": {"code": {"enum": codes}}}}}
    content = {
        "schema": {"$ref": "#/components/schemas/Refusal", "properties": only},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    headers = described(_HEADERS.get(status, {}))
    return {
        "description": words,
        **({"headers": headers} if headers else {}),
        "content": {"application/json": content},
    }


_FIELDS = {
    ApiCode.UNKNOWN_FIELD.code: "colour", ApiCode.EXACTLY_ONE.code: "identifier", ApiCode.INVALID_CURSOR.code: "cursor",
    ApiCode.INVALID_IDEMPOTENCY_KEY.code: "Idempotency-Key", ApiCode.KEY_REUSED.code: "Idempotency-Key",
    ApiCode.UNKNOWN_CUSTOMER.code: "mobile", ApiCode.AMBIGUOUS_CUSTOMER.code: "mobile",
    ApiCode.MIN_VALUE.code: "amount_fen", ApiCode.MAX_VALUE.code: "amount_fen",
    ApiCode.INVALID_CHOICE.code: "channel", ApiCode.ORDER_AHEAD.code: "order_date",
    ApiCode.ORDER_REUSED.code: "paid_fen", Reason.END_PASSED.value: "expiration_time",
    Reason.END_BEFORE_START.value: "expiration_time",
}  # fmt: skip


def _example(code: str) -> JsonSchema:
    status, meaning = _STATUS_AND_MEANING[code]
    attr = _FIELDS.get(code)
    kind = SERVER_ERROR if status >= 500 else CLIENT_ERROR
    if status == 400 and code not in (ApiCode.PARSE_ERROR.code, ApiCode.INVALID_IDEMPOTENCY_KEY.code):
        kind, attr = VALIDATION_ERROR, attr or "merchant_id"
    return {"type": kind, "errors": [{"code": code, "detail": meaning, "attr": attr}]}


def _of_fields(call: Strict, *, nulls: bool) -> Iterator[ApiCode]:
    """What can be wrong with the fields of a body, a query or an address."""
    yield ApiCode.UNKNOWN_FIELD
    if call.one_of:
        yield ApiCode.EXACTLY_ONE
    for field in call.fields.values():
        if field.required:
            yield ApiCode.REQUIRED
        if nulls and not field.allow_null:
            yield ApiCode.NULL
        yield from _of_one(field)


def _of_one(field: Any) -> Iterator[ApiCode]:
    if isinstance(field, Text):
        yield ApiCode.BLANK
        yield ApiCode.INVALID_CURSOR if isinstance(field, PageCursor) else ApiCode.INVALID
        if field.max_length is not None:
            yield ApiCode.MAX_LENGTH
    elif isinstance(field, serializers.ChoiceField):
        yield ApiCode.INVALID_CHOICE
    elif isinstance(field, Fen | Count):
        yield from (ApiCode.INVALID, ApiCode.MIN_VALUE, ApiCode.MAX_VALUE)
    elif isinstance(field, Moment | Day):
        yield ApiCode.INVALID
    else:
        raise TypeError(f"Nobody has said what can be wrong with a {type(field).__name__}.")
