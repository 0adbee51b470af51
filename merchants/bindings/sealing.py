"""What a checked file would do, sealed and given to the browser that asked: nothing of it is kept here in between.

The seal (Fernet, FIELD_ENCRYPTION_KEYS) says who checked it for which merchant and when, so that what is applied is
what was shown, to the one who saw it. Customers' numbers stand in no table, no cache and no folder that would have to
be tidied up, and a restart between the two steps loses nothing.
"""

import json
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from django.core.exceptions import ImproperlyConfigured

from merchants.bindings.reading import Entry
from merchants.secrets import decrypt, encrypt

SECONDS = 2 * 60 * 60


class SealBroken(Exception):
    """It is too old, someone else's, or no seal of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What was sealed."""

    merchant_id: int
    adds_unknown: bool
    entries: list[Entry]


def seal(entries: Sequence[Entry], *, user_id: int, merchant_id: int, adds_unknown: bool) -> str:
    """The rows as a text that only this portal opens again, for two hours and for this user (primary keys)."""
    said = {
        "user": user_id,
        "merchant": merchant_id,
        "adds": adds_unknown,
        "at": int(time.time()),
        "rows": [astuple(entry) for entry in entries],
    }
    return encrypt(b64encode(zlib.compress(json.dumps(said, ensure_ascii=False).encode())).decode())


def unseal(sealed: str, *, user_id: int) -> Opened:
    """What `seal` was given.

    Raises:
        SealBroken: it is not to be believed, or not any more.
    """
    try:
        said = json.loads(zlib.decompress(b64decode(decrypt(sealed))))
        rows = [Entry(*row) for row in said["rows"]]
    except (ImproperlyConfigured, ValueError, TypeError, KeyError, zlib.error) as error:
        raise SealBroken from error
    if said["user"] != user_id or time.time() - said["at"] > SECONDS:
        raise SealBroken
    return Opened(merchant_id=said["merchant"], adds_unknown=said["adds"], entries=rows)
