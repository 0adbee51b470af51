"""Who is acting, from where and by way of what; and how the triggers get to know it.

The entry points (requests, commands, tasks) say it in a context variable, which ends with them. It reaches PostgreSQL
as a setting of the transaction, in front of each statement that writes a watched table: no other statement pays for it,
and a connection that is kept carries nobody's name, because the setting ends with the transaction, however that ends.
"""

import getpass
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from merchants.audit.watching import writes

if TYPE_CHECKING:  # manage.py loads us before Django is set up
    from django.contrib.auth.models import AbstractBaseUser

SETTING = "portal.audit"
_TELL = f"SELECT set_config('{SETTING}', %s, true)"


@dataclass(frozen=True, slots=True)
class Who:
    """A member of staff by name and id, or another actor in the short form of history: "api:app", "command:prune".

    `via` is the page, route, command or task; `address` the caller's, of IPv6 the network; on the command line the
    system's user and machine.
    """

    actor: str
    id: int | None = None
    via: str = ""
    address: str = ""
    request_id: str = ""


PORTAL = Who("portal")
_acting: ContextVar[Callable[[], Who] | None] = ContextVar("acting", default=None)


@contextmanager
def acting(who: Callable[[], Who]) -> Iterator[None]:
    """Whoever `who` returns acts inside. It is asked when something is written, not before."""
    token = _acting.set(who)
    try:
        yield
    finally:
        _acting.reset(token)


def begin(who: Who) -> Token[Callable[[], Who] | None]:
    """The same where begin and end are two calls: from here on `who` acts, until `end` is given what this returns."""
    return _acting.set(lambda: who)


def end(token: Token[Callable[[], Who] | None]) -> None:
    """Whoever acted before acts again."""
    _acting.reset(token)


def command(name: str) -> Who:
    """Whoever typed a management command: the system's user and machine stand for the address."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "?"
    return Who(f"command:{name}", via=f"manage.py {name}", address=f"{user}@{socket.gethostname()}")


def current() -> Who:
    """Who is acting now."""
    who = _acting.get()
    return PORTAL if who is None else who()


def for_user(user: "AbstractBaseUser") -> Who:
    """What is done now, in the name of the member of staff who decided it earlier."""
    return replace(current(), actor=user.get_username(), id=user.pk)


def tell_triggers(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """An execute wrapper of Django's: say who acts in front of a statement that writes what is watched."""
    if not writes(sql):
        return execute(sql, params, many, context)
    said = json.dumps(asdict(current()), ensure_ascii=False)
    connection: BaseDatabaseWrapper = context["connection"]
    if connection.in_atomic_block:
        context["cursor"].execute(_TELL, [said])
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):
        context["cursor"].execute(_TELL, [said])
        return execute(sql, params, many, context)


def listen(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Put the wrapper around a connection (Django's `connection_created`; the object outlives its connections)."""
    if tell_triggers not in connection.execute_wrappers:
        connection.execute_wrappers.append(tell_triggers)
