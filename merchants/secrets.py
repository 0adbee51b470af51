"""Secrets at rest: a model field that encrypts, and a keyed hash by which a secret is found without being readable.

Both use FIELD_ENCRYPTION_KEYS (newest first), so that a dump of the database alone opens nothing. A new key is put in
front; old values stay readable until their key is removed, and `merchants.reencrypting` puts them under the new one.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: str) -> str:
    """The text under the newest key."""
    return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(plain.encode()).decode("ascii")


def decrypt(sealed: str) -> str:
    """The plain text, whichever of the configured keys sealed it.

    Raises:
        ImproperlyConfigured: no configured key opens it.
    """
    try:
        return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS: none of the keys opens a stored secret. Was a key removed before its values "
            "were encrypted again?"
        ) from None


def decoy() -> str:
    """A secret that is nobody's, opened from its sealed form as a stored one is: where there is none to compare with,
    the time taken does not tell."""
    return decrypt(_sealed_decoy(tuple(settings.FIELD_ENCRYPTION_KEYS)))


@lru_cache(maxsize=4)
def _sealed_decoy(keys: tuple[str, ...]) -> str:
    return encrypt(secrets.token_hex(16))


def is_under_newest(sealed: str) -> bool:
    """Whether the newest key alone opens it."""
    try:
        _cipher((settings.FIELD_ENCRYPTION_KEYS[0],)).decrypt(sealed.encode("ascii"))
    except (InvalidToken, UnicodeEncodeError):
        return False
    return True


def newest_key() -> str:
    """What the newest key is called where its work is marked: 8 hex digits that tell nothing of it."""
    return hashlib.sha256(f"name:{settings.FIELD_ENCRYPTION_KEYS[0]}".encode()).hexdigest()[:8]


def digest(secret: str) -> str:
    """What stays, sealed, of a secret that nobody may read again: enough to hash it under the next key as well."""
    return hashlib.sha256(f"digest:{secret}".encode()).hexdigest()


def keyed_hashes(secret: str) -> list[str]:
    """The hashes (64 hex digits) under which a secret may be stored: one for each configured key, newest first.

    Store the first, look up by all.
    """
    return [
        hmac.new(b"lookup:" + key.encode("ascii"), secret.encode(), hashlib.sha256).hexdigest()
        for key in settings.FIELD_ENCRYPTION_KEYS
    ]


class _Opened(str):
    """A secret with the form in which it was stored."""

    __slots__ = ("sealed",)
    sealed: str


class EncryptedTextField(models.TextField):
    """A text that is encrypted in the database and plain in Python; the empty text stays empty.

    What is saved as it was read is stored as it was: a column that changes is a secret that changed, or its key.
    """

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        """Open what the database holds."""
        if not value:
            return value
        opened = _Opened(decrypt(value))
        opened.sealed = value
        return opened

    def get_prep_value(self, value: Any) -> Any:
        """Seal what goes to the database."""
        if isinstance(value, _Opened) and value and is_under_newest(value.sealed):
            return value.sealed
        plain = super().get_prep_value(value)
        return encrypt(plain) if plain else plain
