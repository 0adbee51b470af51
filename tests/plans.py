"""How many rows of a table the database reads for what is asked: the same on a fast machine and a slow one."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext


def rows_read(ask: Callable[[], object], model: type[Model]) -> int:
    """Of the model's table, by all SELECTs that this sends, in the tables' state of now."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    table = model._meta.db_table
    sent = [query["sql"] for query in asked.captured_queries]
    return sum(_read(_plan_of(sql), table) for sql in sent if sql.startswith("SELECT") and table in sql)


def _plan_of(sql: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        [said] = cursor.fetchone()
    found: dict[str, Any] = (json.loads(said) if isinstance(said, str) else said)[0]["Plan"]
    return found


def _read(plan: dict[str, Any], table: str) -> int:
    return sum(_of_node(node) for node in _nodes(plan) if node.get("Relation Name") == table)


def _of_node(node: dict[str, Any]) -> int:
    each = sum(node.get(what, 0) for what in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"))
    return round(each * node["Actual Loops"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
