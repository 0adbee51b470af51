"""What a kind of outbox row has to know: which call is next, and what its result means here.

The engine knows nothing of promotions or coupons; `integrations.sync` registers a handler for each kind.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from integrations.dfire import DfireClient, DfireError, Reply
from integrations.models import OutboxRow

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that may be made from any thread: it touches the network and nothing else.

    `identity` is the customer's identity it uses, kept with the attempt because a later question must use the same.
    """

    method: str
    run: Callable[[DfireClient], Reply[Any]]
    identity: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """A locked row whose call was answered with this value, and the identity that the call used."""

    row: OutboxRow
    value: Any
    identity: dict[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be sent yet; `why` is one of the handler's own words for staff."""

    why: str


@dataclass(frozen=True, slots=True)
class Drop:
    """It need not be sent any more."""

    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Planning failed by a fault of ours: the row is set aside, so that it does not stop the others."""

    why: str


class Handler(ABC):
    """Decides for one kind of row. `plan` only reads; the rest runs in a transaction that holds the locks."""

    asks_when_uncertain = True  # else a send whose outcome is unknown may simply be repeated
    settles_together = False  # whether `all_sent` spares anything

    @abstractmethod
    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """The next call for the row's phase, looking at the present state right before it is sent.

        May move the row's phase back to sending where there turns out to be nothing to ask about.
        """

    @abstractmethod
    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """The call of the row's phase was answered with this value: move the row on (`verdicts`)."""

    def all_sent(self, sent: Sequence[Sent]) -> None:
        """As `succeeded` for each of many rows that were to be sent, and were."""
        for one in sent:
            self.succeeded(one.row, one.value)

    @abstractmethod
    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """dfire refused this very request, or has nothing of the kind: move the row on."""

    def waits(self, row: OutboxRow, why: str) -> None:  # noqa: B027  (most kinds have nothing to add)
        """The row has been set to waiting."""

    def drops(self, row: OutboxRow) -> None:  # noqa: B027
        """The row has been cancelled, because there is nothing more to say."""

    def fails(self, row: OutboxRow, why: str) -> None:  # noqa: B027
        """The row has been set aside for staff."""

    def ends(self, row: OutboxRow) -> None:  # noqa: B027
        """A worker has let go of the row, whatever came of it, and the row is saved."""


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Make `handler` answer for rows of this kind."""
    _handlers[kind] = handler


def plan(row: OutboxRow) -> Call | Wait | Drop | Broken:
    """What the row's handler plans. A fault in it concerns this row alone; a lost database concerns all."""
    try:
        return handler_of(row).plan(row)
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("Outbox row %s could not be planned.", row.pk)
        return Broken(f"{type(error).__name__}: {error}")


def handler_of(row: OutboxRow) -> Handler:
    """The handler of the row's kind; KeyError for a kind that nobody knows."""
    return handler_for(row.kind)


def handler_for(kind: str) -> Handler:
    """The handler of a kind; KeyError for one that nobody knows."""
    return _handlers[kind]
