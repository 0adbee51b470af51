"""What may become of a row after a call: each function changes the locked row; `settling` saves it.

The waiting times stand here and nowhere else.
"""

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from integrations.models import OutboxRow
from integrations.models.outbox import Phase, RowState

_FIRST_BACKOFF_SECONDS = 0.5
ABSENCES_THAT_PROVE = 2  # one absence is weak evidence: the call may land late (PROTOCOLS §1)


def done(row: OutboxRow) -> None:
    """It has happened."""
    _close(row, RowState.DONE)


def dead(row: OutboxRow, *, code: str = "", message: str = "") -> None:
    """It cannot happen as it stands: staff look at it, mend and retry."""
    row.last_code = code[:50] or row.last_code
    row.last_message = message[:500] or row.last_message
    _close(row, RowState.DEAD)


def cancel(row: OutboxRow, why: str) -> None:
    """It need not happen any more."""
    row.last_message = why[:500]
    _close(row, RowState.CANCELLED)


def wait(row: OutboxRow, why: str) -> None:
    """Something is missing that only people can bring."""
    row.last_message = why[:500]
    row.state = RowState.WAITING


def back_off(row: OutboxRow) -> None:
    """Try the same again later: exponential, with full jitter, at most OUTBOX_BACKOFF_MAX_SECONDS."""
    row.tries += 1
    ceiling = min(settings.OUTBOX_BACKOFF_MAX_SECONDS, _FIRST_BACKOFF_SECONDS * 2 ** min(row.tries, 20))
    _again(row, timezone.now() + timedelta(seconds=random.uniform(ceiling / 2, ceiling)))  # nosec B311 # spreads load, no secret


def again_at_once(row: OutboxRow) -> None:
    """The row is not to blame: queue it as it was."""
    _again(row, timezone.now())


def ask_at_once(row: OutboxRow) -> None:
    """dfire knows already: ask."""
    row.phase = Phase.ASK
    row.absences = 0
    _again(row, timezone.now())


def ask_later(row: OutboxRow, sent_at: datetime) -> None:
    """Nobody knows whether it happened: ask when what was sent at `sent_at` has landed, if it ever does."""
    row.phase = Phase.ASK
    row.absences = 0
    _again(row, sent_at + landing_time(row))


def repeat_later(row: OutboxRow, sent_at: datetime) -> None:
    """It may be repeated, but not before the first one has landed, which would overwrite the second."""
    back_off(row)
    row.available_at = max(row.available_at, sent_at + landing_time(row))


def look_again_later(row: OutboxRow) -> None:
    """It was sent a second time and happened: look once more when the first one could have landed too."""
    row.phase = Phase.LOOK_AGAIN
    _again(row, timezone.now() + landing_time(row))


def seen_absent(row: OutboxRow, *, places: int = 1) -> bool:
    """dfire was asked and does not have it. Ask again, until each of the `places` to look in was seen empty twice.

    Returns:
        Whether the absence is proven now.
    """
    row.absences += 1
    if row.absences >= ABSENCES_THAT_PROVE * places:
        return True
    _again(row, timezone.now() + landing_time(row))
    return False


def send_again(row: OutboxRow) -> None:
    """What was sent before never happened: send it anew."""
    row.resends += 1
    send(row)


def send(row: OutboxRow) -> None:
    """Send at once."""
    row.phase = Phase.SEND
    row.absences = 0
    _again(row, timezone.now())


def landing_time(row: OutboxRow) -> timedelta:
    """How long after sending a call may still land: twice the account's time limit."""
    return timedelta(seconds=2 * (row.account.timeout_seconds if row.account else 5))


def _again(row: OutboxRow, at: datetime) -> None:
    row.state = RowState.QUEUED
    row.available_at = at


def _close(row: OutboxRow, state: RowState) -> None:
    row.state = state
    row.settled_at = timezone.now()
