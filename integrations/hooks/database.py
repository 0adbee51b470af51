"""How long a hook may wait for PostgreSQL: a web thread that hangs on it is lost to every other caller.

Three bounds, because each catches what the others cannot: PostgreSQL itself gives up waiting for a lock or a statement;
a watch cuts the connection of a database that has stopped answering; and once it is known to be away, one hook at a
time tries it while all others answer at once.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connections

UNAVAILABLE = (OperationalError, InterfaceError, InternalError)  # gone, going, too slow, or read-only after a failover
_LIMITS = "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)"


class DatabaseAway(OperationalError):
    """The database did not answer a moment ago, and somebody else is trying it."""


class _Outage:
    """What this process knows of the database being away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away = False
        self._next_try = 0.0

    def admit(self) -> None:
        """Let the caller try, unless the database is away and it is not yet time to try again.

        Raises:
            DatabaseAway
        """
        with self._lock:
            if not self._away:
                return
            now = time.monotonic()
            if now < self._next_try:
                raise DatabaseAway("The database does not answer.")
            self._next_try = now + settings.HOOK_DATABASE_SECONDS + settings.HOOK_DATABASE_PROBE_SECONDS

    def began(self) -> None:
        """It does not answer."""
        with self._lock:
            self._away = True
            self._next_try = time.monotonic() + settings.HOOK_DATABASE_PROBE_SECONDS

    def ended(self) -> None:
        """It answers."""
        self._away = False


_outage = _Outage()


class _Watch:
    """Cuts one thread's connection if it is not called off in time; whatever waits for an answer then fails at once."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._over = False
        self._timer = threading.Timer(settings.HOOK_DATABASE_SECONDS, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def call_off(self) -> None:
        """From here on the connection is left alone."""
        with self._lock:
            self._over = True
        self._timer.cancel()

    def _cut(self) -> None:
        with self._lock:
            raw = self._connection.connection
            if self._over or raw is None:  # while it is being made, `connect_timeout` is the bound
                return
            with suppress(psycopg.Error, OSError):  # it may be gone by now
                end = socket.socket(fileno=raw.fileno())
                try:
                    end.shutdown(socket.SHUT_RDWR)
                finally:
                    end.detach()  # it stays psycopg's to close


@contextmanager
def within_time() -> Iterator[None]:
    """Use the database inside, for about HOOK_DATABASE_SECONDS at most.

    Raises:
        one of UNAVAILABLE: it does not answer, or something in it takes too long.
    """
    _outage.admit()
    connection = connections["default"]
    watch = _Watch(connection)
    try:
        _begin(connection)
        yield
    except UNAVAILABLE:
        if not connection.in_atomic_block:
            connection.close()  # else Django would ask it, unwatched, whether it is still of use
        raise
    finally:
        _end(connection)
        watch.call_off()


def _begin(connection: Any) -> None:
    """The first words with the database: if they fail it is away."""
    limits = [f"{settings.HOOK_LOCK_SECONDS}s", f"{settings.HOOK_STATEMENT_SECONDS}s"]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_LIMITS, limits)
    except UNAVAILABLE:
        _outage.began()
        raise
    _outage.ended()


def _end(connection: Any) -> None:
    """The admin's pages, which use the same connection, may take longer."""
    if connection.connection is None or connection.needs_rollback:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout; RESET statement_timeout")
    except DatabaseError:
        connection.close()
