"""The gate of the outbox: while it is shut no worker anywhere takes a row.

A lock of the database's own (an advisory one), so it opens by itself when whoever shut it dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_KEY = 0x6F7574626F78  # "outbox"


def is_open() -> bool:
    """Whether rows may be taken. Then, until this transaction ends, nobody can shut the gate."""
    return _ask("SELECT pg_try_advisory_xact_lock_shared(%s)")


@contextmanager
def shut() -> Iterator[None]:
    """Shut the gate, once those who are taking rows at this moment have finished; not inside a transaction."""
    _ask("SELECT pg_advisory_lock(%s)")
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(%s)")


def _ask(sql: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [_KEY])
        return bool(cursor.fetchone()[0])
