"""Where sessions are kept: as Django keeps them in the database, but under a hash of the key that the browser brings.

A copy of the table, taken from a backup, then signs nobody in. The key has 165 random bits, so a plain hash of it can
neither be turned round nor tried out; it is cut to what Django's column holds.
"""

import hashlib
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

_COLUMN = 40


def stored(key: str) -> str:
    """Under what the session with this key is kept."""
    return hashlib.sha256(f"session:{key}".encode()).hexdigest()[:_COLUMN]


class SessionStore(DatabaseStore):
    """`session_key` is the browser's; no row has it."""

    def exists(self, session_key: str) -> bool:
        """Whether there is a session with this key."""
        return super().exists(stored(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to be written."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.session_key = stored(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """End the session with this key, or this one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(stored(key))

    def _get_session_from_db(self) -> Session | None:
        key = self.session_key
        rows = Session.objects.filter(session_key=stored(key), expire_date__gt=timezone.now()) if key else None
        row = rows.first() if rows is not None else None
        if row is None:
            self._session_key = None
        return row

    aexists = sync_to_async(exists)  # type: ignore[arg-type]
    acreate_model_instance = sync_to_async(create_model_instance)  # type: ignore[arg-type]
    adelete = sync_to_async(delete)  # type: ignore[arg-type]
    _aget_session_from_db = sync_to_async(_get_session_from_db)
