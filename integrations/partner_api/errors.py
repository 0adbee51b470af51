"""Every way in which the partner API says no: one enum of stable codes, and the one form in which they are said.

What is refused by a rule of the domain keeps that rule's code (`coupons.errors.Reason`) and is a conflict. docs/api.md
lists the codes from here (`table`); a test compares.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Any

from django.core import signals
from django.utils.translation import gettext_lazy as _
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import Error
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response

from coupons.errors import Reason


class ApiCode(Enum):
    """A stable code, the HTTP status it is answered with, and what it means (English, for docs/api.md)."""

    PARSE_ERROR = ("parse_error", 400, "The body is not one unambiguous JSON object.")
    REQUIRED = ("required", 400, "The field is missing.")
    INVALID = ("invalid", 400, "The field's value is of another kind or form.")
    NULL = ("null", 400, "The field is null.")
    BLANK = ("blank", 400, "The field is blank.")
    MAX_LENGTH = ("max_length", 400, "The text is too long.")
    MIN_VALUE = ("min_value", 400, "The number is too small.")
    MAX_VALUE = ("max_value", 400, "The number is too large.")
    INVALID_CHOICE = ("invalid_choice", 400, "The value is none of those that the field knows.")
    UNKNOWN_FIELD = ("unknown_field", 400, "The call knows no field or filter of this name.")
    EXACTLY_ONE = ("exactly_one", 400, "Exactly one of several fields must be given.")
    INVALID_CURSOR = ("invalid_cursor", 400, "The cursor is not one that a page of this list gave.")
    INVALID_IDEMPOTENCY_KEY = ("invalid_idempotency_key", 400, "Idempotency-Key is not 1-255 printable characters.")
    NOT_AUTHENTICATED = ("not_authenticated", 401, "There is no Authorization: Api-Key header.")
    AUTHENTICATION_FAILED = ("authentication_failed", 401, "The key is not known.")
    KEY_EXPIRED = ("key_expired", 401, "The key has ended. Use the app's newer one.")
    PERMISSION_DENIED = ("permission_denied", 403, "The app lacks the scope of this call.")
    ADDRESS_NOT_ALLOWED = ("address_not_allowed", 403, "The key may not be used from this address.")
    NOT_FOUND = ("not_found", 404, "There is no such thing among the app's own.")
    UNKNOWN_CUSTOMER = ("unknown_customer", 404, "The merchant has no customer with this mobile number or openid.")
    WRONG_METHOD = ("method_not_allowed", 405, "The address does not know this method.")
    AMBIGUOUS_CUSTOMER = ("ambiguous_customer", 409, "Several customers have this mobile number: name the identifier.")
    ORDER_AHEAD = ("order_date_ahead", 409, "The day of the order lies in the future.")
    DFIRE_REFUSED = ("dfire_refused", 409, "dfire refuses to redeem the coupon on this order; `detail` has its words.")
    ORDER_UNDONE = ("order_undone", 409, "dfire left it open, and staff decided that this order did not redeem it.")
    TOO_LARGE = ("too_large", 413, "The body is over 64 KiB.")
    WRONG_MEDIA_TYPE = ("unsupported_media_type", 415, "The body is not application/json.")
    KEY_REUSED = ("idempotency_key_reused", 422, "The Idempotency-Key came with another body before.")
    ORDER_REUSED = ("order_id_reused", 422, "The coupon knows this order with other amounts.")
    THROTTLED = ("throttled", 429, "Too many calls, unknown codes or wrong keys. Wait for as long as Retry-After says.")
    TOO_MANY_UNKNOWN_CODES = (
        "too_many_unknown_codes", 429,
        "The app has asked for too many codes that are not there. Staff of the portal must let it go on.",
    )  # fmt: skip
    ERROR = ("error", 500, "A fault of ours. Repeat the call with the same Idempotency-Key.")
    UNAVAILABLE = ("unavailable", 503, "The database does not answer. Repeat the call in a moment.")

    def __init__(self, code: str, status: int, meaning: str) -> None:
        self.code = code
        self.status = status
        self.meaning = meaning


# The rules of the domain that calls of this API can meet; each is answered with 409.
CONFLICTS = (
    Reason.TEMPLATE_NOT_PUBLISHED, Reason.TEMPLATE_OVER, Reason.OUT_OF_STOCK, Reason.OUT_OF_BUDGET,
    Reason.PERSON_LIMIT, Reason.PERSON_DAILY_LIMIT, Reason.CUSTOMER_ERASED, Reason.REDEEMED, Reason.REDEEMING,
    Reason.REVOKED, Reason.EXPIRED, Reason.OPENID_TAKEN, Reason.END_PASSED, Reason.END_BEFORE_START,
    Reason.NOT_DELIVERED, Reason.NOT_YET_VALID, Reason.WRONG_WEEKDAY, Reason.OUTSIDE_HOURS, Reason.NOT_ON_THIS_DATE,
    Reason.EXCLUDED_DATE, Reason.WRONG_SHOP, Reason.BELOW_MINIMUM,
)  # fmt: skip
_CONFLICT = 409
_BLAMED = {Reason.END_PASSED: "expiration_time", Reason.END_BEFORE_START: "expiration_time"}
_RETRY_AFTER_SECONDS = 1


class ApiRefused(APIException):
    """A no with one of our codes; `attr` names the field that is to blame, where one is."""

    def __init__(self, kind: ApiCode, detail: Any, *, attr: str | None = None) -> None:
        super().__init__(detail, kind.code)
        self.status_code = kind.status
        self.attr = attr
        self.wait: int | None = _RETRY_AFTER_SECONDS if kind is ApiCode.UNAVAILABLE else None  # said as Retry-After


def invalid(field: str, kind: ApiCode, detail: Any) -> ValidationError:
    """The refusal of one field of the body or the query."""
    return ValidationError({field: [ErrorDetail(str(detail), code=kind.code)]})


def not_found(attr: str | None = None) -> ApiRefused:
    """There is none, or it is somebody else's: both look the same."""
    return ApiRefused(ApiCode.NOT_FOUND, _("There is no such thing among yours."), attr=attr)


def from_reason(reason: Reason, words: str = "") -> APIException:
    """A rule of the domain's, as the API says it: a conflict with how things stand, the clock among them.

    `words` say more than the reason's own.
    """
    refusal = APIException(words or reason.label, reason.value)
    refusal.status_code = _CONFLICT
    refusal.attr = _BLAMED.get(reason)  # type: ignore[attr-defined]
    return refusal


class _Formatter(ExceptionFormatter):
    """Names the field of refusals that are no validation errors, too."""

    def get_errors(self) -> list[Error]:
        errors = super().get_errors()
        attr = getattr(self.exc, "attr", None)
        return [Error(error.code, error.detail, attr) for error in errors] if attr else errors


class _Handler(ExceptionHandler):
    """Answers faults of ours in the same form, whatever DEBUG is."""

    def should_not_handle(self, exc: Exception) -> bool:
        return False

    def format_exception(self, exc: APIException) -> Any:
        return _Formatter(exc, self.context, self.exc).run()

    def report_exception(self, exc: APIException, response: Response) -> None:
        """Tell the request's log of faults of ours, with the traceback. Its lines name no address, which may name a
        customer; that the database is away has been said already."""
        if exc.status_code == ApiCode.ERROR.status:
            request = self.context["request"]
            signals.got_request_exception.send(sender=None, request=request and request._request)


def handle(exc: Exception, context: Any) -> Response | None:
    """DRF's hook for exceptions."""
    return _Handler(exc, context).run()


def codes() -> Iterable[tuple[str, int, str]]:
    """Every code that an answer can carry, its status, and its meaning in the active language of the domain's."""
    yield from (member.value for member in ApiCode)
    yield from ((reason.value, _CONFLICT, str(reason.label)) for reason in CONFLICTS)


def table() -> str:
    """The codes as the table of docs/api.md, by their status."""
    lines = ["| code | status | meaning |", "|---|---|---|"]
    lines += [f"| `{code}` | {status} | {meaning} |" for code, status, meaning in sorted(codes(), key=lambda c: c[1])]
    return "\n".join(lines)
