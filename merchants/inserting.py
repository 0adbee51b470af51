"""Inserting thousands of rows that differ in a few columns: one statement, at nearly the speed of COPY.

Making an instance of a model for each row takes Python longer than its row takes PostgreSQL. So what is the same in all
rows is said once, by an instance that stands for all of them, and the rest comes as one array a column.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import AutoField, Model
from django.db.models.expressions import DatabaseDefault
from psycopg.types.json import Jsonb

_COMMON = (int, str, date, UUID, Jsonb, type(None))  # moments are dates to Python


def insert_like(
    example: Model, columns: Mapping[str, Sequence[Any]], *, unless: str = "", returning: str = "id"
) -> list[Any]:
    """Insert rows that read like the (unsaved) `example` but for `columns`: by attribute, one value a row.

    The database's constraints and triggers hold as ever; `save` is not called and no signal is sent.

    Args:
        unless: columns that are unique together, in SQL: a row that is there already is passed over.
        returning: what to tell of each row, in SQL.

    Returns:
        What was asked for, a tuple a row. Their order means nothing.
    """
    same: dict[str, Any] = {}
    for field in example._meta.concrete_fields:
        if field.attname not in columns and not isinstance(field, AutoField):
            value = field.pre_save(example, add=True)
            if not isinstance(value, DatabaseDefault):
                same[field.attname] = field.get_db_prep_save(value, connection)
    statement = _statement(type(example), tuple(columns), tuple(same), unless, returning)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*same.values(), *map(array, columns.values())])
        return cursor.fetchall()


@lru_cache(maxsize=128)
def _statement(model: type[Model], columns: Sequence[str], same: Sequence[str], unless: str, returning: str) -> str:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(fields[name].column)) for name in (*columns, *same))
    arrays = ", ".join(f"%s::{fields[name].cast_db_type(connection)}[]" for name in columns)
    constants = "".join(f", %s::{fields[name].cast_db_type(connection)}" for name in same)
    passed_over = f" ON CONFLICT ({unless}) DO NOTHING" if unless else ""
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({names})"  # nosec B608 # names of a model
        f" SELECT varying.*{constants} FROM unnest({arrays}) AS varying{passed_over} RETURNING {returning}"
    )


def array(values: Sequence[Any]) -> str | list[Any]:
    """The values as a parameter that PostgreSQL reads as an array, to be cast: `= ANY(%s::bigint[])`.

    Common types are put together here: the driver takes many times as long to quote each element.
    """
    kinds = set(map(type, values))
    if kinds == {int} or (kinds == {str} and all(values) and "".join(values).isdecimal()):
        return f"{{{','.join(map(str, values))}}}"
    if not all(isinstance(value, _COMMON) for value in values):
        return list(values)
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is int or (isinstance(value, str) and value.isdecimal()):
        return str(value)
    text = json.dumps(value.obj, ensure_ascii=False) if isinstance(value, Jsonb) else str(value)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
