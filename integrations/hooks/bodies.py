"""Reading what was sent: bounded before it is read, strict once it is."""

from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.request import Request

from integrations.hooks.refusals import HookCode, HookRefused
from integrations.strict_json import JsonObject, NotStrictJson, check_texts
from integrations.strict_json import loads as strict_loads

MOST_FORM_FIELDS = 100


def read_body(request: Request, *media_types: str) -> bytes:
    """The raw body, if it is of one of the media types (or names none) and not over HOOK_BODY_LIMIT_BYTES.

    Raises:
        HookRefused: another media type, or too large; said before anything is read.
    """
    media_type = (request.META.get("CONTENT_TYPE") or "").split(";")[0].strip().lower()
    if media_type and media_type not in media_types:
        raise HookRefused(HookCode.WRONG_MEDIA_TYPE, f"Send {' or '.join(media_types)}.")
    limit = settings.HOOK_BODY_LIMIT_BYTES
    too_large = HookRefused(HookCode.TOO_LARGE, f"At most {limit} bytes.")
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise HookRefused(HookCode.BAD_REQUEST, "Content-Length is not a number.") from None
    if announced > limit:
        raise too_large
    body: bytes = request._request.read(limit + 1)
    if len(body) > limit:
        raise too_large
    return body


def strict_json(body: bytes) -> JsonObject:
    """The JSON object in the body (`integrations.strict_json`).

    Raises:
        HookRefused: it is not one.
    """
    try:
        return strict_loads(body)
    except NotStrictJson as error:
        raise HookRefused(HookCode.BAD_REQUEST, error.message, field=error.field) from None


def strict_form(body: bytes) -> dict[str, str]:
    """The fields of a form-encoded body, values exactly as sent. A field that comes twice must say the same twice.

    dfire's own sample sends `plateEntityId` twice (seed 003 §9).

    Raises:
        HookRefused: not a form, not UTF-8, too many fields, or a field with two values.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=MOST_FORM_FIELDS,
        )
    except ValueError:
        raise HookRefused(HookCode.BAD_REQUEST, "The body is not a form in UTF-8.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if fields.setdefault(name, value) != value:
            raise HookRefused(HookCode.BAD_REQUEST, "The field comes twice with different values.", field=name[:50])
    try:
        check_texts(fields, 1)
    except NotStrictJson as error:
        raise HookRefused(HookCode.BAD_REQUEST, error.message) from None
    return fields
