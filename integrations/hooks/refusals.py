"""How a hook says no: one enum of stable codes with their HTTP statuses, one exception that carries one."""

from enum import Enum

from coupons.errors import Reason


class HookCode(Enum):
    """A stable code and the HTTP status it is answered with (DESIGN, "Addresses")."""

    BAD_REQUEST = ("bad_request", 400)
    INVALID_FIELD = ("invalid_field", 400)
    EXPIRATION_PASSED = ("expiration_passed", 400)
    SIGNATURE_REQUIRED = ("signature_required", 401)
    BAD_SIGNATURE = ("bad_signature", 401)
    STALE_SIGNATURE = ("stale_signature", 401)
    REPLAYED_SIGNATURE = ("replayed_signature", 401)
    STALE = ("stale_timestamp", 400)
    ADDRESS_NOT_ALLOWED = ("address_not_allowed", 403)
    UNKNOWN_TOKEN = ("unknown_token", 404)
    UNKNOWN_MERCHANT = ("unknown_merchant", 404)
    UNKNOWN_COUPON = ("unknown_coupon", 404)
    WRONG_METHOD = ("method_not_allowed", 405)
    CONFLICT = ("conflict", 409)
    TOO_LARGE = ("too_large", 413)
    WRONG_MEDIA_TYPE = ("unsupported_media_type", 415)
    TOO_MANY = ("too_many_requests", 429)
    UNAVAILABLE = ("unavailable", 503)
    UNCONFIRMED = ("unconfirmed", 503)

    def __init__(self, code: str, status: int) -> None:
        self.code = code
        self.status = status


class HookRefused(Exception):
    """A hook's no. `field` names what is wrong in the body, where one field is."""

    def __init__(self, kind: HookCode, message: str, *, field: str = "", code: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code or kind.code
        self.status = kind.status
        self.field = field
        self.message = f"{field}: {message}" if field else message


def invalid(field: str, message: str) -> HookRefused:
    """The refusal of one field."""
    return HookRefused(HookCode.INVALID_FIELD, message, field=field)


def from_reason(reason: Reason) -> HookRefused:
    """A rule of the domain's, as a hook says it: a conflict, but an end that has passed is bad content."""
    bad_end = reason in (Reason.END_PASSED, Reason.END_BEFORE_START)
    kind = HookCode.EXPIRATION_PASSED if bad_end else HookCode.CONFLICT
    field = "expiration_time" if bad_end else ""
    return HookRefused(kind, str(reason.label), field=field, code=reason.value)
