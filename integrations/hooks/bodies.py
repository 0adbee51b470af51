"""Reading what was sent: bounded before it is read, strict once it is."""

from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from integrations.hooks.refusals import HookCode, HookRefused
from integrations.strict_json import JsonObject, NotStrictJson, check_texts, shown
from integrations.strict_json import loads as strict_loads

MOST_FORM_FIELDS = 100
_MOST_DIGITS_OF_A_LENGTH = 18


def read_body(request: Request, *media_types: str) -> bytes:
    """The raw body, if it is of one of the media types (or names none) and not over HOOK_BODY_LIMIT_BYTES.

    Raises:
        HookRefused: another media type, too large (where its length is announced, said before anything is read), or
            broken off.
    """
    media_type = (request.META.get("CONTENT_TYPE") or "").split(";")[0].strip().lower()
    if media_type and media_type not in media_types:
        raise HookRefused(HookCode.WRONG_MEDIA_TYPE, f"Send {' or '.join(media_types)}.")
    return read_bounded(request)


def read_bounded(request: Request) -> bytes:
    """The raw body of whatever kind, if it is not over HOOK_BODY_LIMIT_BYTES.

    Raises:
        HookRefused: too large (where its length is announced, said before anything is read), or broken off.
    """
    limit = settings.HOOK_BODY_LIMIT_BYTES
    too_large = HookRefused(HookCode.TOO_LARGE, f"At most {limit} bytes.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise HookRefused(HookCode.BAD_REQUEST, "Content-Length is not a number.")
    announced = int(length[:_MOST_DIGITS_OF_A_LENGTH])
    if announced > limit:
        raise too_large
    body = _read(request._request, limit + 1)
    if len(body) > limit:
        raise too_large
    if len(body) < announced:
        raise HookRefused(HookCode.BAD_REQUEST, "The body is shorter than its Content-Length says.")
    return body


def _read(request: HttpRequest, most: int) -> bytes:
    stream: Any = request
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        stream = request.META["wsgi.input"]  # a chunked body: Django by itself would take it for an empty one
    body = b""
    try:
        while len(body) < most and (part := stream.read(most - len(body))):
            body += part
    except OSError:
        raise HookRefused(HookCode.BAD_REQUEST, "The body broke off.") from None
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
        HookRefused: not a form, not UTF-8, too many fields, a field without a name or with two values.
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
        if not name:
            raise HookRefused(HookCode.BAD_REQUEST, "A field has no name.")
        if fields.setdefault(name, value) != value:
            raise HookRefused(HookCode.BAD_REQUEST, "The field comes twice with different values.", field=shown(name))
    try:
        check_texts(fields, 1)
    except NotStrictJson as error:
        raise HookRefused(HookCode.BAD_REQUEST, error.message, field=error.field) from None
    return fields
