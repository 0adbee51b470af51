"""`manage.py migrate`, for a portal that is at work: a migration that cannot have its lock at once gives up.

While it waits for a lock, everyone behind it waits too: one long query would stop the portal. Migrations without a
transaction (they build indexes) wait as long as it takes, because nobody waits behind them.
"""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connection
from django.db.migrations import Migration
from psycopg.errors import LockNotAvailable

LOCK_SECONDS = 3.0


class Command(migrate.Command):
    """Django's own, with a limit for waiting."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate.

        Raises:
            CommandError: a table was in use for too long; what had been migrated until then stays.
        """
        try:
            super().handle(*args, **options)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            raise CommandError(
                f"A table was in use for more than {LOCK_SECONDS:g} s. The migrations that are OK above are done, the "
                "last one has changed nothing: run the command again, at a quieter time if need be."
            ) from None

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Set the limit before each migration and lift it afterwards."""
        if migration is not None and action in ("apply_start", "unapply_start"):
            self._limit(LOCK_SECONDS if migration.atomic else 0)
        super().migration_progress_callback(action, migration, fake)
        if action in ("apply_success", "unapply_success"):
            self._limit(0)

    def _limit(self, seconds: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(seconds * 1000)}")
