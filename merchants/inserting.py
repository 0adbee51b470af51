"""Inserting thousands of rows that differ in a few columns: one statement, at nearly the speed of COPY.

Making an instance of a model for each row takes Python longer than its row takes PostgreSQL. So what is the same in all
rows is said once, by an instance that stands for all of them, and the rest comes as one array a column.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import AutoField, Field, Model
from django.db.models.expressions import DatabaseDefault


def insert_like(example: Model, columns: Mapping[str, Sequence[Any]], *, returning: str = "id") -> list[Any]:
    """Insert rows that read like the (unsaved) `example` but for `columns`: by attribute, one value a row.

    The database's constraints and triggers hold as ever; `save` is not called and no signal is sent.

    Args:
        returning: what to tell of each row, in SQL.

    Returns:
        What was asked for, a tuple a row. Their order means nothing.
    """
    fields = {field.attname: field for field in example._meta.concrete_fields}
    same = {name: _value(field, example) for name, field in fields.items() if name not in columns}
    kept = {name: value for name, value in same.items() if not isinstance(value, DatabaseDefault)}
    kept = {name: value for name, value in kept.items() if not isinstance(fields[name], AutoField)}
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(fields[name].column)) for name in (*columns, *kept))
    arrays = ", ".join(f"%s::{fields[name].cast_db_type(connection)}[]" for name in columns)
    constants = "".join(f", %s::{fields[name].cast_db_type(connection)}" for name in kept)
    statement = (
        f"INSERT INTO {quote(example._meta.db_table)} ({names})"  # nosec B608 # names of a model
        f" SELECT varying.*{constants} FROM unnest({arrays}) AS varying RETURNING {returning}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*kept.values(), *map(array, columns.values())])
        return cursor.fetchall()


def array(values: Sequence[Any]) -> str | list[Any]:
    """The values as a parameter that PostgreSQL reads as an array, to be cast: `= ANY(%s::bigint[])`.

    Numbers and digits are put together here: the driver looks at each element for what might have to be quoted.
    """
    kinds = set(map(type, values))
    plain = kinds == {int} or (kinds == {str} and all(values) and "".join(values).isdecimal())
    return f"{{{','.join(map(str, values))}}}" if plain else list(values)


def _value(field: "Field[Any, Any]", example: Model) -> Any:
    value = field.pre_save(example, add=True)
    return value if isinstance(value, DatabaseDefault) else field.get_db_prep_save(value, connection)
