"""Mobile numbers on pages: whole only for those who may see them, wherever they turn up."""

import json
import re
from typing import Any

from django.http import HttpRequest

from merchants.mobiles import MOBILE_IN_TEXT
from merchants.models.customer import is_mobile, mask_mobile
from merchants.rights import SEE_MOBILES

_LONG_NUMBER = re.compile(r"[0-9]{7,}")


def sees_mobiles(request: HttpRequest) -> bool:
    """Whether the user may see whole numbers."""
    return request.user.has_perm(SEE_MOBILES)


def shown(request: HttpRequest, text: str) -> str:
    """A number, or an identifier that may be one, as the user may see it."""
    return text if sees_mobiles(request) else mask_mobile(text)


def shown_text(request: HttpRequest, text: str) -> str:
    """Any text, its mobile numbers masked for those who may not see them."""
    return text if sees_mobiles(request) else masked_text(text)


def shown_digits(request: HttpRequest, text: str) -> str:
    """What people typed for a customer: numbers in it, also mistyped ones, masked for those who may not see them."""
    return text if sees_mobiles(request) else masked_digits(text)


def masked_digits(text: str) -> str:
    """Any text, of its longer numbers no more than mobile numbers show."""
    return _LONG_NUMBER.sub(lambda found: mask_mobile(found[0]) if is_mobile(found[0]) else f"{found[0][:3]}****", text)


def shown_json(request: HttpRequest, value: Any) -> str:
    """A JSON value, or the text of one, indented; masked as `shown_text` does."""
    return shown_text(request, _indented(value))


def masked_text(text: str) -> str:
    """Any text, its mobile numbers masked."""
    return MOBILE_IN_TEXT.sub(lambda found: mask_mobile(found[0]), text)


def masked_json(value: Any) -> str:
    """A JSON value, or the text of one, indented and masked."""
    return masked_text(_indented(value))


def _indented(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, ensure_ascii=False, indent=2)
