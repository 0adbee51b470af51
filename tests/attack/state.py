"""What stands in the database, in one look, so that it can be said of any call what it has changed."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import connection

from merchants.models import AuditEntry

APPS = ("merchants", "coupons", "integrations")
# What is written down of a call whatever becomes of it: that it was made, and what it was answered.
LOGS = frozenset({
    "integrations_apicall", "integrations_apianswer", "integrations_apikey", "integrations_push",
    "integrations_signatureseen",
})  # fmt: skip

State = dict[str, tuple[int, str]]


def tables() -> list[str]:
    """The portal's own tables, those between two models among them; not the trail, which follows them by itself."""
    return sorted(
        model._meta.db_table
        for app in APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model is not AuditEntry
    )


def look() -> State:
    """How many rows each table has, and a digest of all that stands in them. Meant for tables with few rows."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("SAVEPOINT looking")
            cursor.execute("EXECUTE attack_look")
        except Exception:
            cursor.execute("ROLLBACK TO SAVEPOINT looking")
            cursor.execute(f"PREPARE attack_look AS {_query()}")
            cursor.execute("EXECUTE attack_look")
        found = {name: (count, digest) for name, count, digest in cursor.fetchall()}
        cursor.execute("RELEASE SAVEPOINT looking")
    return found


def changed(before: State, after: State, *, but: frozenset[str] = LOGS) -> dict[str, int]:
    """By how many rows each table has grown, of those in which anything is different."""
    return {name: after[name][0] - before[name][0] for name in after if name not in but and after[name] != before[name]}


def is_one_of(found: Mapping[str, int], expected: Mapping[str, Any]) -> bool:
    """Whether exactly the expected tables have changed. An expected tuple names the numbers that are fine; with 0 among
    them, the table need not have changed at all."""
    if not set(found) <= set(expected):
        return False
    return all(_fits(found.get(name), numbers) for name, numbers in expected.items())


def _fits(grown: int | None, numbers: Any) -> bool:
    """None: the table has not changed, which is fine where a tuple has a 0."""
    if isinstance(numbers, tuple):
        return (grown or 0) in numbers
    return grown == numbers


def _query() -> str:
    return " UNION ALL ".join(
        f"SELECT '{name}', count(*), md5(coalesce(string_agg(row::text, '|' ORDER BY row::text), '')) FROM {name} row"
        for name in tables()
    )
