"""Pruning by age, in small batches: each locks what nobody else holds, in a transaction of its own, then comes a pause.

It may be killed at any point and run twice at once: a batch stands or falls as a whole, and what another run has locked
is left to it. A run is bounded; the next night goes on.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from coupons import batches, customer_files
from integrations.retention.contents import blank
from integrations.retention.kinds import KINDS, Kind
from merchants.audit.recording import record

logger = logging.getLogger(__name__)

_ending = threading.Event()


@dataclass(frozen=True, slots=True)
class _Place:
    """The last row of a batch; the next one begins behind it."""

    age: datetime
    pk: Any


def due() -> dict[str, int]:
    """How many rows of each kind have come of age; more than a run prunes counts as what a run prunes."""
    most = settings.RETENTION_MOST_A_RUN
    return {kind.name: kind.due().order_by()[:most].count() for kind in KINDS}


def prune() -> dict[str, int]:
    """Prune every kind, at most RETENTION_MOST_A_RUN rows of each. Call it outside of a transaction.

    Returns:
        How many of each kind.
    """
    if days := settings.RETENTION_BATCH_ROWS_DAYS:
        batches.cancel_forgotten(timezone.now() - timedelta(days=days))
        customer_files.cancel_forgotten(timezone.now() - timedelta(days=days))
    pruned = {kind.name: _prune(kind, timezone.now()) for kind in KINDS}
    logger.info("Pruned: %s.", _listed(pruned))
    if gone := {name: count for name, count in pruned.items() if count}:
        record(None, gettext_noop("Pruned by age: %(what)s"), facts={"what": _listed(gone), **gone})
    return pruned


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


@worker_shutting_down.connect
def wind_down(**kwargs: object) -> None:
    """A worker that is to end does not wait for a whole run."""
    _ending.set()


def _prune(kind: Kind, now: datetime) -> int:
    pruned, place, size = 0, None, settings.RETENTION_BATCH
    while not _ending.is_set() and (most := min(size, settings.RETENTION_MOST_A_RUN - pruned)) > 0:
        count, place = _batch(kind, now, place, most)
        pruned += count
        if count < most:
            break
        _ending.wait(settings.RETENTION_PAUSE_SECONDS)
    return pruned


@transaction.atomic
def _batch(kind: Kind, now: datetime, place: _Place | None, most: int) -> tuple[int, _Place | None]:
    rows = kind.due(now)
    if place is not None:
        behind = Q(**{f"{kind.age}__gt": place.age}) | Q(**{kind.age: place.age, "pk__gt": place.pk})
        rows = rows.filter(behind, **{f"{kind.age}__gte": place.age})
    locked = list(
        rows.select_related(*kind.locks)
        .select_for_update(skip_locked=True, no_key=True, of=("self", *kind.locks))
        .only("pk", kind.age, *(f"{relation}__id" for relation in kind.locks))
        .order_by(kind.age, "pk")[:most]
    )
    if not locked:
        return 0, place
    chosen = kind.rows().model._default_manager.filter(pk__in=[row.pk for row in locked])
    if kind.deletes:
        _delete(kind, chosen)
    else:
        blank(chosen)
    return len(locked), _Place(getattr(locked[-1], kind.age), locked[-1].pk)


def _delete(kind: Kind, rows: QuerySet[Any]) -> None:
    """The audit trail lets nothing go but here: the permission ends with the batch, and at the latest with its
    transaction."""
    if not kind.permit:
        rows.delete()
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [kind.permit])
        rows.delete()
        cursor.execute("SELECT set_config(%s, '', true)", [kind.permit])
