"""A database backend whose every use says how to get a database.

Commands that need none (`collectstatic`, `compilemessages`) work without one; all others say what is missing.
"""

from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.dummy.base import DatabaseWrapper as DummyWrapper

from config import embedded


def complain(*args: object, **kwargs: object) -> NoReturn:
    """Raise the one error this backend knows."""
    raise ImproperlyConfigured(embedded.NOT_RUNNING)


class DatabaseWrapper(DummyWrapper):
    """Django's dummy backend with our words."""

    _cursor = complain
    ensure_connection = complain
    connect = complain
    _savepoint = complain
    _savepoint_commit = complain
    _savepoint_rollback = complain
    _set_autocommit = complain
    _commit = complain
    _rollback = complain
