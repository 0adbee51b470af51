"""`manage.py prune [--dry-run]`: remove contents that have come of age (docs/retention.md), as every night does."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.retention import pruning
from integrations.retention.kinds import KINDS


class Command(BaseCommand):
    """Prunes, or says what it would, and prints a line for each kind."""

    help = "Remove payloads, answers and sessions older than the RETENTION_ settings say."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only to look, or to do it."""
        parser.add_argument("--dry-run", action="store_true", help="count, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """One run; it may be stopped at any point and started again."""
        counts = pruning.due() if options["dry_run"] else pruning.prune()
        for kind in KINDS:
            age = f"after {kind.days} days" if kind.days else "kept for good"
            verb = "deleted" if kind.deletes else "contents removed"
            self.stdout.write(f"{kind.name:<14}{counts[kind.name]:>10}  {verb}, {age} ({kind.setting})")
        if options["dry_run"]:
            self.stdout.write("Nothing has been changed.")
