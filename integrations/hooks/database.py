"""How long a hook may wait for PostgreSQL: a web thread that hangs on it is lost to every other caller.

Three bounds, because each catches what the others cannot: PostgreSQL itself gives up waiting for a lock or a statement;
a watch cuts the connection of a database that has stopped answering; and once it is known to be away, one hook at a
time tries it while all others answer at once.

A call says as little as it can: PostgreSQL's bounds stay with the connection until somebody else uses it
(`without_limits`, at the beginning of every other request), and whether a kept connection is still of use is seen by
its socket, not asked.
"""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connections

from integrations.hooks.watch import Watch

UNAVAILABLE = (OperationalError, InterfaceError, InternalError)  # gone, going, too slow, or read-only after a failover
_LIMITS = "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)"
BOUNDED = ("/hooks/", "/api/v1/")  # what asks the database within time alone
_LIMITED = "portal_limits"  # an attribute of psycopg's connection, so that a new one has none


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

    @property
    def is_on(self) -> bool:
        """Whether it was away when it was last asked."""
        return self._away

    def ended(self) -> None:
        """It answers."""
        self._away = False


_outage = _Outage()


@contextmanager
def within_time() -> Iterator[None]:
    """Use the database inside, for about HOOK_DATABASE_SECONDS at most.

    Raises:
        one of UNAVAILABLE: it does not answer, or something in it takes too long.
    """
    _outage.admit()
    connection = connections["default"]
    watch = Watch(connection, settings.HOOK_DATABASE_SECONDS)
    try:
        _begin(connection)
        yield
    except UNAVAILABLE:
        if not connection.in_atomic_block:
            connection.close()  # else Django would ask it, unwatched, whether it is still of use
        raise
    finally:
        watch.call_off()


def without_limits(**kwargs: Any) -> None:
    """Let this thread's connection take its time again: the admin's pages may take longer (Django's `request_started`).

    Costs nothing where no call was bounded on it, and nothing at the beginning of a call, which bounds it anyhow.
    """
    if str(kwargs.get("environ", {}).get("PATH_INFO", "")).startswith(BOUNDED):
        return
    connection = connections["default"]
    if getattr(connection.connection, _LIMITED, None) is None:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout; RESET statement_timeout")
        delattr(connection.connection, _LIMITED)
    except DatabaseError:
        connection.close()


def _begin(connection: Any) -> None:
    """See that the connection stands and is bounded. Where it has to be made or bounded first, and that fails, the
    database is away.
    """
    if connection.in_atomic_block:
        return
    if connection.connection is not None and _has_something_to_say(connection.connection):
        connection.close()  # nobody asked: it says that it is over
    limits = (f"{settings.HOOK_LOCK_SECONDS}s", f"{settings.HOOK_STATEMENT_SECONDS}s")
    connection.health_check_done = True
    if getattr(connection.connection, _LIMITED, None) == limits and not _outage.is_on:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_LIMITS, limits)
    except UNAVAILABLE:
        _outage.began()
        raise
    setattr(connection.connection, _LIMITED, limits)
    _outage.ended()


def _has_something_to_say(raw: Any) -> bool:
    """Whether an idle connection can be read, as one can whose other end has gone."""
    try:
        waiting = select.poll()
        waiting.register(raw.fileno(), select.POLLIN)
        return bool(waiting.poll(0))
    except (OSError, OperationalError, ValueError):
        return True
