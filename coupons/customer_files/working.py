"""Working customer files: slice by slice, each in one transaction with the file's row locked.

The lock is the lease: a worker that dies lets go of it, and its slice has not happened. Two workers never work on one
file at once.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from django.db import InterfaceError, OperationalError, transaction

from coupons.customer_files.checking import check_slice
from coupons.customer_files.entering import enter_slice
from merchants import bindings
from merchants.bindings import Entry
from merchants.choices import AT_WORK, FileState
from merchants.models import CustomerFile
from merchants.tables import TableError

logger = logging.getLogger(__name__)

SMALL_BYTES = 256 * 1024  # are checked while whoever sent them waits for the page
FEW_ROWS = 2000  # are entered so
BROKEN = "broken"


def work_all(until: Callable[[], bool] = lambda: False) -> int:
    """Work every file that is due until none is, others hold what is left, or `until` says so.

    Returns:
        How many slices were worked.
    """
    slices = 0
    while ids := list(CustomerFile.objects.filter(state__in=AT_WORK).order_by("pk").values_list("pk", flat=True)):
        worked = sum(_work(file_id, until) for file_id in ids)
        if not worked:
            break
        slices += worked
    return slices


def work_here(file: CustomerFile) -> None:
    """Work a small file at once, so that its page shows at once what came of it; a larger one is a worker's."""
    small = file.size <= SMALL_BYTES if file.state == FileState.CHECKING else file.new + file.change <= FEW_ROWS
    if small:
        with suppress(OperationalError):  # the database was busy: a worker does it
            _work(file.pk, lambda: False)
    file.refresh_from_db()


def _work(file_id: int, until: Callable[[], bool]) -> int:
    """Work a file as far as it goes. An error stops it for staff; a database that is gone leaves it for the next sweep.

    Returns:
        How many slices.
    """
    slices = 0
    try:
        with _entries(file_id) as entries:
            while not until() and _slice(file_id, entries):
                slices += 1
    except (OperationalError, InterfaceError):
        raise
    except TableError as error:
        _stop(file_id, FileState.UNREADABLE, str(error))
    except Exception:
        logger.exception("Customer file %s stopped.", file_id)
        _stop(file_id, FileState.STOPPED, BROKEN)
    else:
        return slices
    return slices + 1


@contextmanager
def _entries(file_id: int) -> Iterator[Iterator[Entry] | None]:
    """The rows of a file that is to be checked, from its beginning; None of another."""
    file = CustomerFile.objects.filter(pk=file_id, state=FileState.CHECKING).first()
    if file is None:
        yield None
        return
    with bindings.opened(file) as source, closing(bindings.entries_of(source)) as entries:
        yield entries


@transaction.atomic
def _slice(file_id: int, entries: Iterator[Entry] | None) -> bool:
    """Work one slice, if there is one and nobody else is at it."""
    file = CustomerFile.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=file_id).first()
    if file is None or file.state not in AT_WORK:
        return False
    if file.state == FileState.RUNNING:
        enter_slice(file)
    elif entries is not None:
        check_slice(file, entries)
    else:
        return False  # it has just been resumed
    return True


@transaction.atomic
def _stop(file_id: int, state: FileState, problem: str) -> None:
    file = CustomerFile.objects.select_for_update(no_key=True).filter(pk=file_id, state__in=AT_WORK).first()
    if file is None:
        return
    file.state, file.problem = state, problem[:300]
    file.save(update_fields=["state", "problem"])
    if state == FileState.UNREADABLE:
        file.rows.all().delete()
        bindings.thrown_away(file)
