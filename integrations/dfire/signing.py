"""The signature of the dfire gateway, for requests we send and for callbacks we receive.

Both directions use one formula (PROTOCOLS §1 "Signature"), so it is written once, and the check of a
received signature never says by its timing how much of a forged one was right.
"""

import hashlib
import hmac
from collections.abc import Mapping

SIGN_PARAMETER = "sign"


def canonical_string(params: Mapping[str, str]) -> str:
    """Return what is signed, without the secret: every name and value run together, names in ASCII order.

    Values count exactly as they are sent, so empty ones and leading blanks stay; a `sign` already among
    the parameters is left out. Safe to log when a signature is disputed.
    """
    return "".join(name + params[name] for name in sorted(params) if name != SIGN_PARAMETER)


def sign(params: Mapping[str, str], secret: str) -> str:
    """Return the signature of `params`: 40 upper-case hex digits (PROTOCOLS §1 "Signature").

    Raises UnicodeEncodeError, a ValueError, when a value cannot be written as UTF-8 (a lone surrogate).
    """
    text = secret + canonical_string(params) + secret
    # The gateway fixes the hash; what protects the request is the secret on both ends of it.
    return hashlib.sha1(text.encode("utf-8")).hexdigest().upper()  # nosec B324 # dfire's own


def verify(params: Mapping[str, str], secret: str) -> bool:
    """Say whether `params` carries the right `sign`; the comparison takes constant time.

    Pass the values as received, before any stripping. A missing, non-ASCII or differently cased signature
    and parameters that are not UTF-8 are simply not signed: False, never an exception.
    """
    received = params.get(SIGN_PARAMETER, "")
    if not received or not received.isascii():
        return False
    try:
        expected = sign(params, secret)
    except UnicodeEncodeError:
        return False
    return hmac.compare_digest(received.encode("ascii"), expected.encode("ascii"))
