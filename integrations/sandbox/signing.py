"""Signatures of both protocols, written here on their own so that the portal's code is checked, not mirrored.

dfire: SHA-1 over secret + sorted name/value pairs + secret. Smart-coupon platform: MD5, in two revisions.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal

DOUBLE_FIELDS = frozenset({"coupon_amount", "min_purchase_price"})


def dfire_sign(params: Mapping[str, str], secret: str) -> str:
    """Sign every parameter but ``sign``, names in ASCII order, values exactly as sent."""
    pairs = "".join(name + params[name] for name in sorted(params) if name != "sign")
    return hashlib.sha1((secret + pairs + secret).encode()).hexdigest().upper()  # nosec B324 # dfire's own


def dfire_signed_rightly(params: Mapping[str, str], secret: str) -> bool:
    """Compare the ``sign`` that came with the params in constant time."""
    return hmac.compare_digest(params.get("sign", "").encode(), dfire_sign(params, secret).encode())


def java_double(value: float | str) -> str:
    """Print a number as Java's Double.toString does: 10.0, 7.5, 1.23456785E7."""
    number = float(value)
    plain = format(Decimal(repr(number)), "f")
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return plain if "." in plain else plain + ".0"
    _, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) - 1 + int(exponent)
    return f"{'-' if number < 0 else ''}{text[0]}.{text[1:] or '0'}E{power}"


def platform_sign_body(body: Mapping[str, object], developer_key: str) -> str:
    """Revision 2: MD5 over ``k=v&…&key=developer_key`` in ASCII order, doubles as Java prints them."""
    parts = [f"{name}={_field(name, body[name])}" for name in sorted(body) if name != "data_signature"]
    return _md5("&".join([*parts, f"key={developer_key}"]))


def platform_sign_time(signature_time: str, developer_key: str) -> str:
    """Revision 3: MD5 over the key and the time alone; it does not cover the body."""
    return _md5(developer_key + signature_time)


def _field(name: str, value: object) -> str:
    if name in DOUBLE_FIELDS and isinstance(value, int | float):
        return java_double(value)
    return str(value)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest().upper()  # nosec B324 # the platform's own
