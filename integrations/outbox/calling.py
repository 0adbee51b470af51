"""Making one call and saying what it brought. Runs in the pool's threads: no database here."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.dfire import ConfigurationError, DfireError, Exchange, RetryableError
from integrations.outbox.claiming import Job
from integrations.outbox.clients import client_for

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call brought: a value, or an error of dfire's, or (a fault of ours) `broken` says what.

    With `given_back` it was not made: the row is to be queued again, as it was.
    """

    exchange: Exchange | None
    value: Any = None
    error: DfireError | None = None
    broken: str = ""
    given_back: bool = False

    @property
    def well(self) -> bool:
        """Whether dfire did what it was asked."""
        return self.error is None and not self.broken and not self.given_back


GIVEN_BACK = Outcome(
    None, error=RetryableError("Nothing was sent: the call before it did not go well."), given_back=True
)


def perform(job: Job) -> Outcome:
    """Make the call, at its slot."""
    time.sleep(max(0.0, (job.start_at - timezone.now()).total_seconds()))
    if timezone.now() + timedelta(seconds=job.account.timeout_seconds) > job.lease_until:
        # The process stood still. Nobody may be sending when the lease runs out and dfire is asked.
        return Outcome(None, error=RetryableError("Nothing was sent: the lease had become too short for a call."))
    try:
        client = client_for(job.account)
    except ValueError as error:
        return Outcome(None, error=ConfigurationError(f"The account cannot be used: {error}"))
    try:
        reply = job.call.run(client)
        return Outcome(reply.exchange, value=reply.value)
    except DfireError as error:
        return Outcome(error.exchange, error=error)
    except Exception as error:  # a fault of ours must not take the row's lease with it
        logger.exception("The call %s of outbox row %s broke.", job.call.method, job.row_id)
        return Outcome(None, broken=f"{type(error).__name__}: {error}")
