"""Puts every stored secret under the newest of FIELD_ENCRYPTION_KEYS, so that an older key can be removed.

What there is to do is found by looking at the models: their encrypted fields, and those columns that hang on the key as
well (`keyed_columns`, a static method of the model). Each batch holds its rows for the moment in which it reads and
writes them, so whatever others change before or after is kept; a run that is broken off has done what it has done, and
the next one finds only the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.db.models.functions import Cast

from merchants.secrets import EncryptedTextField, decrypt, is_under_newest

BATCH = 200  # rows held at once


@dataclass(slots=True)
class Outcome:
    """What was found in one model: so many rows, of which so many hung on an older key; `lost` are primary keys of rows
    that no configured key opens."""

    model: type[models.Model]
    rows: int = 0
    older: int = 0
    lost: list[Any] = field(default_factory=list)


def sealed_fields(model: type[models.Model]) -> list[str]:
    """The names of the encrypted fields in the model's own table."""
    return [one.name for one in model._meta.local_concrete_fields if isinstance(one, EncryptedTextField)]


def models_with_secrets() -> list[type[models.Model]]:
    """Every model that has something encrypted, in the order of their names."""
    found = [model for model in apps.get_models() if not model._meta.proxy and sealed_fields(model)]
    return sorted(found, key=lambda model: model._meta.label)


def go_through(*, change: bool) -> Iterator[Outcome]:
    """Go through every table; with `change`, put what hangs on an older key under the newest. One outcome a model."""
    for model in models_with_secrets():
        outcome, last = Outcome(model), None
        while (last := _batch(outcome, last, change=change)) is not None:
            pass
        yield outcome


def _batch(outcome: Outcome, after: Any, *, change: bool) -> Any:
    """The rows after a primary key. Returns the last one's; None where there are none."""
    model, fields = outcome.model, sealed_fields(outcome.model)
    raw = {f"raw_{name}": Cast(name, models.TextField()) for name in fields}
    rows = model._base_manager.order_by("pk").annotate(**raw)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    with transaction.atomic():
        if change:
            rows = rows.select_for_update(no_key=True)
        columns = [one.name for one in model._meta.local_concrete_fields if one.name not in fields]
        held = list(rows.values("pk", *columns, *raw)[:BATCH])
        for row in held:
            _row(outcome, row, {name: row[f"raw_{name}"] or "" for name in fields}, change=change)
    return held[-1]["pk"] if held else None


def _row(outcome: Outcome, row: dict[str, Any], sealed: dict[str, str], *, change: bool) -> None:
    outcome.rows += 1
    try:
        plain = {name: decrypt(text) if text else "" for name, text in sealed.items()}
    except ImproperlyConfigured:
        outcome.lost.append(row["pk"])
        return
    wanted = {name: plain[name] for name, text in sealed.items() if text and not is_under_newest(text)}
    keyed = getattr(outcome.model, "keyed_columns", None)
    if keyed is not None:
        wanted |= {name: value for name, value in keyed(plain).items() if row[name] != value}
    if not wanted:
        return
    outcome.older += 1
    if change:
        outcome.model._base_manager.filter(pk=row["pk"]).update(**wanted)
