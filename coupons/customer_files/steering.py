"""What staff say to a customer file. It takes effect between two slices: the row is locked while one is worked."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from coupons.errors import Reason, Refused
from coupons.signals import customer_file_wanted
from merchants import bindings
from merchants.choices import OPEN, FileState
from merchants.models import CustomerFile


class NeedsAdding(Exception):
    """New customers are in the file, and whoever says yes may not enter any."""


@transaction.atomic
def start(file: CustomerFile, *, may_add: bool) -> None:
    """Yes: enter and bind what the check found.

    Raises:
        Refused: it has been started or cancelled meanwhile.
        NeedsAdding: it would enter new customers, and `may_add` says no.
    """
    locked = _locked(file, (FileState.READY,))
    if locked.new and not may_add:
        raise NeedsAdding
    locked.started_at = timezone.now()
    _set_to_work(locked, FileState.RUNNING)


@transaction.atomic
def resume(file: CustomerFile) -> None:
    """Go on where it had stopped by itself.

    Raises:
        Refused: it has not stopped.
    """
    locked = _locked(file, (FileState.STOPPED,))
    _set_to_work(locked, FileState.RUNNING if locked.started_at else FileState.CHECKING)


@transaction.atomic
def cancel(file: CustomerFile) -> None:
    """End it where it is. Who has been entered stays; of the others nothing is kept but what was not done.

    Raises:
        Refused: it is over already.
    """
    locked = _locked(file, OPEN)
    locked.state, locked.problem, locked.finished_at = FileState.CANCELLED, "", timezone.now()
    locked.save(update_fields=["state", "problem", "finished_at"])
    locked.rows.exclude(verdict="bad").delete()
    bindings.thrown_away(locked)


def cancel_forgotten(before: datetime) -> int:
    """Cancel files that have waited since before then for somebody's word.

    Returns:
        How many.
    """
    waiting = CustomerFile.objects.filter(state__in=[FileState.READY, FileState.STOPPED], created_at__lt=before)
    cancelled = 0
    for file in waiting.order_by("pk"):
        try:
            cancel(file)
        except Refused:
            continue  # somebody has remembered just now
        cancelled += 1
    return cancelled


def _locked(file: CustomerFile, allowed: tuple[FileState, ...]) -> CustomerFile:
    locked = CustomerFile.objects.select_for_update(no_key=True).get(pk=file.pk)
    if locked.state not in allowed:
        raise Refused(Reason.FILE_STATE)
    return locked


def _set_to_work(locked: CustomerFile, to: FileState) -> None:
    locked.state, locked.problem = to, ""
    locked.save(update_fields=["state", "problem", "started_at"])
    customer_file_wanted.send(CustomerFile, file=locked)
