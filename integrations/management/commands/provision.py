"""`manage.py provision FILE.json`: create or update from a file (DESIGN, "Provisioning")."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from integrations import strict_json
from integrations.provisioning.entries import Rejected
from integrations.provisioning.run import provision


class Command(BaseCommand):
    """Reads the file, brings it about, prints what changed."""

    help = "Create or update accounts, merchants, customers, templates and partner apps from a JSON file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One file."""
        parser.add_argument("file", metavar="FILE.json", help="the provisioning file, UTF-8")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the whole file or nothing."""
        path = Path(options["file"])
        try:
            body = path.read_bytes()
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: cannot be read ({getattr(error, 'strerror', error)}).") from None
        try:
            lines = provision(strict_json.loads(body))
        except strict_json.NotStrictJson as error:
            raise CommandError(f"{path}: {error}") from None
        except Rejected as rejected:
            listed = "\n".join(f"  {line}" for line in rejected.errors)
            raise CommandError(f"{path}: nothing has been changed.\n{listed}") from None
        except OperationalError as error:  # a deadlock with the portal's own work, or no database
            reason = str(error).splitlines()[0]
            raise CommandError(f"{path}: nothing has been changed; the database said {reason!r}. Try again.") from None
        for line in lines:
            self.stdout.write(line)
        if not lines:
            self.stdout.write("nothing to change")
