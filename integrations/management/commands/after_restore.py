"""`manage.py after_restore`: to be run once after the database was restored from a dump (docs/upgrade.md)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_noop

from coupons import figures
from integrations.outbox import restored
from integrations.reconcile.restored import compare_all
from merchants.audit.recording import record


class Command(BaseCommand):
    """Makes the portal ask dfire about everything that may have happened after the dump was taken."""

    help = (
        "After the database was restored from a dump, before the portal is started on it: marks whatever is not "
        "settled as uncertain, so that dfire is asked before anything is sent, and has every merchant compared with "
        "dfire. A second run changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One switch."""
        parser.add_argument("--force", action="store_true", help="even if others are connected to the database")

    def handle(self, *args: Any, **options: Any) -> None:
        """Mark and begin the comparisons, and say what was done."""
        others = restored.others_at_work()
        if others and not options["force"]:
            raise CommandError(
                f"Others are connected to this database as the portal (processes {', '.join(map(str, others))} of the "
                "database). Stop the web, the workers and the scheduler first: what they send before this is done may "
                "be sent twice. Nothing has been changed. (--force does it all the same.)"
            )
        changed = restored.assume_sent()
        for (kind, state), count in sorted(changed.items()):
            self.stdout.write(f"{count:>8}  {kind}, {state} in the dump")
        self.stdout.write(_summary(sum(changed.values())))
        if corrected := figures.check():
            self.stdout.write(f"{corrected:>8}  sums of days corrected: triggers had been off during the restore")
        merchants = compare_all()
        record(
            None, gettext_noop("After a restore: %(rows)s outbox rows uncertain, %(merchants)s merchants compared."),
            facts={"rows": sum(changed.values()), "merchants": merchants},
        )  # fmt: skip
        self.stdout.write(f"{merchants} merchants are compared with dfire as soon as the portal is started.")


def _summary(rows: int) -> str:
    if not rows:
        return "Nothing to mark: whatever is not settled is uncertain already."
    return f"{rows} outbox rows are uncertain now: dfire is asked before anything of theirs is sent again."
