"""When a lock after failed sign-ins ends, and how it is lifted."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from merchants.models import SignInLock


def lock_ends(rows: Iterable[SignInLock], now: datetime | None = None) -> datetime | None:
    """When the lock ends that these failures (of one name at one address, a row for each browser) make.

    Each row is forgotten a lock's length after its last failure; the lock ends when what is left is too few.

    Returns:
        None where nothing is locked.
    """
    now = now or timezone.now()
    count = 0
    for row in sorted(rows, key=lambda found: found.attempt_time, reverse=True):
        count += row.failures_since_start
        if count >= settings.AXES_FAILURE_LIMIT:
            end: datetime = row.attempt_time + settings.AXES_COOLOFF_TIME
            return end if end > now else None
    return None


def failures_of(
    names_and_addresses: Iterable[tuple[str | None, str | None]],
) -> dict[tuple[str | None, str | None], list[SignInLock]]:
    """The rows of each of these names at each of these addresses, asked for once."""
    wanted = set(names_and_addresses)
    found: dict[tuple[str | None, str | None], list[SignInLock]] = {}
    for row in SignInLock.objects.filter(username__in={name for name, _address in wanted if name is not None}):
        if (row.username, row.ip_address) in wanted:
            found.setdefault((row.username, row.ip_address), []).append(row)
    return found


def unlock(rows: QuerySet[SignInLock]) -> int:
    """Forget the failures of the names at the addresses of these rows, whatever the browser.

    Returns:
        How many names at an address were set free.
    """
    pairs = set(rows.values_list("username", "ip_address"))
    for name, address in pairs:
        SignInLock.objects.filter(username=name, ip_address=address).delete()
    return len(pairs)
