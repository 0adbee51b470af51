"""Whether a push was signed with the account's developer key (PROTOCOLS §2; vectors in tests/vectors).

Revision 2 signs what it sends, but the platform is Java: a JSON `10` in a Double field was signed as `10.0`. So each
such number is tried as it was received and as Java prints it. Revision 3 signs the moment alone, which says nothing of
the body: that is what `integrations.smart_coupon.replays` is for.
"""

import hashlib
import hmac
import json
import math
import re
from decimal import Decimal
from itertools import product
from typing import Any

from django.conf import settings
from django.utils import timezone

from integrations.hooks.refusals import HookCode, HookRefused
from integrations.smart_coupon.revisions import SIGNATURE, SIGNATURE_TIME, Revision, Signed
from integrations.strict_json import JsonObject
from merchants.models import SmartCouponAccount

DOUBLES = ("coupon_amount", "min_purchase_price")
_MILLISECONDS = re.compile(r"[0-9]{13}\Z")
_MOST_FIELDS = 100


class _Number(str):
    """A number's text as it was received."""

    __slots__ = ()


def check_signature(account: SmartCouponAccount, revision: Revision, fields: JsonObject, body: bytes) -> None:
    """Let only pass what the account lets pass: with a developer key what is signed with it, without one what is not
    demanded to be signed.

    Raises:
        HookRefused: 401.
    """
    key = account.developer_key
    if revision.signed is Signed.NOT or not key:
        if account.require_signature:
            why = (
                "it has no developer key to check one with" if revision.signed is not Signed.NOT else "send revision 2"
            )
            raise HookRefused(HookCode.SIGNATURE_REQUIRED, f"This account takes signed pushes only; {why}.")
        return
    given = fields.get(SIGNATURE)
    if given in (None, ""):
        raise HookRefused(HookCode.SIGNATURE_REQUIRED, "is missing.", field=SIGNATURE)
    right = time_signatures(fields, key) if revision.signed is Signed.TIME else body_signatures(body, key)
    told = given.upper().encode() if isinstance(given, str) else b""
    # Every candidate is compared, so that the time taken does not tell which came close.
    if sum(hmac.compare_digest(told, one.encode()) for one in right) == 0:
        raise HookRefused(HookCode.BAD_SIGNATURE, "does not fit the push and the developer key.", field=SIGNATURE)


def signed_at(fields: JsonObject) -> int:
    """When a push of revision 3 was signed (epoch milliseconds), if that is now.

    Raises:
        HookRefused: 401: it says no time, or one more than PUSH_SIGNATURE_SECONDS away.
    """
    told = str(fields.get(SIGNATURE_TIME, ""))
    if not _MILLISECONDS.match(told):
        raise HookRefused(HookCode.STALE_SIGNATURE, "must be a time in epoch milliseconds.", field=SIGNATURE_TIME)
    away = abs(timezone.now().timestamp() - int(told) / 1000)
    if away > settings.PUSH_SIGNATURE_SECONDS:
        words = f"is more than {settings.PUSH_SIGNATURE_SECONDS // 60} minutes away; sign the push anew."
        raise HookRefused(HookCode.STALE_SIGNATURE, words, field=SIGNATURE_TIME)
    return int(told)


def body_signatures(body: bytes, key: str) -> list[str]:
    """What revision 2 may have made of a body that has been read strictly: MD5 over `k=v&…&key=…`."""
    return [_md5("&".join([*([text] if text else []), f"key={key}"])) for text in body_texts(body)]


def body_texts(body: bytes) -> list[str]:
    """What is signed in front of the key: `k=v&…` with names in ASCII order, without the signature and what is null, in
    each way in which its numbers may have been written."""
    texts: dict[str, Any] = json.loads(body, parse_int=_Number, parse_float=_Number)
    names = sorted(name for name, value in texts.items() if name != SIGNATURE and value is not None)
    if len(names) > _MOST_FIELDS:
        return []
    ways = [_ways(name, texts[name]) for name in names]
    return ["&".join(f"{name}={value}" for name, value in zip(names, way, strict=True)) for way in product(*ways)]


def time_signatures(fields: JsonObject, key: str) -> list[str]:
    """What revision 3 makes of its time: MD5 over key and time."""
    return [_md5(f"{key}{fields.get(SIGNATURE_TIME, '')}")]


def java_double(text: str) -> str:
    """A number as Java's `Double.toString` prints it: 10.0, 7.5, 1.23456785E7."""
    number = float(text)
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    plain = format(Decimal(repr(number)), "f")
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return plain if "." in plain else f"{plain}.0"
    _sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' if number < 0 else ''}{first}.{rest or '0'}E{len(rest) + int(exponent)}"


def _ways(name: str, value: Any) -> list[str]:
    if isinstance(value, _Number) and name in DOUBLES and len(value) <= 40:
        return list(dict.fromkeys([str(value), java_double(value)]))
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value)]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()
