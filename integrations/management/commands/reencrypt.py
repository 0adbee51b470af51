"""`manage.py reencrypt [--dry-run]`: after a new key was put in front, let go of the older ones (docs/secrets.md)."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from integrations import key_change
from merchants import reencrypting


class Command(BaseCommand):
    """Re-encrypts, or looks what there is, and says whether the older keys can be removed."""

    help = "Put every stored secret under the newest of FIELD_ENCRYPTION_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only to look, or to do it."""
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing; exit status 1 while an older key is needed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One run; it may be stopped at any point and started again, while the portal works."""
        looking = options["dry_run"]
        older, lost = 0, []
        for outcome in reencrypting.go_through(change=not looking):
            said = "under an older key" if looking else "re-encrypted"
            self.stdout.write(f"{outcome.model._meta.label:<36}{outcome.rows:>8} rows{outcome.older:>8} {said}")
            older += outcome.older
            lost += [f"{outcome.model._meta.label} {pk}" for pk in outcome.lost]
        if lost:
            raise CommandError("None of the keys opens these rows. Put the key back that they need: " + ", ".join(lost))
        if len(settings.FIELD_ENCRYPTION_KEYS) == 1:
            self.stdout.write("There is one key only, and it opens everything.")
            return
        needed = [*([f"{older} rows are encrypted with an older key"] if looking and older else []), *_needed()]
        for line in needed:
            self.stdout.write(f"  {line}")
        if not needed:
            self.stdout.write("Nothing hangs on an older key: every key but the first can be removed.")
        elif looking:
            raise CommandError("The older keys are still needed.")
        else:
            self.stdout.write("The older keys are still needed for this. Look again with --dry-run.")


def _needed() -> list[str]:
    passing = [
        f"{found.rows} {found.what}, until {timezone.localtime(found.until):%Y-%m-%d %H:%M:%S}"
        for found in key_change.passing()
    ]
    keys = [
        f"API key {key} of {key.app.name} has not called since the upgrade: after its next call it is no matter"
        for key in key_change.keys_not_seen()
    ]
    erasures = key_change.erasures_not_known()
    old = [f"{erasures} erased customers, who would not be recognised when they come back"] if erasures else []
    return [*passing, *keys, *old]
