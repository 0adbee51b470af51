"""Updating many rows, each with values of its own, by one statement: one array a column, as `inserting` does it.

Django's `bulk_update` builds an expression for each row and column, which takes longer than the update itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from merchants.inserting import array


def update_each(
    model: type[Model],
    keys: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    *,
    same: Mapping[str, Any] | None = None,
) -> int:
    """Give each key's row its values in `columns` (by attribute, in the order of the keys), and all of them `same`.

    The database's constraints and triggers hold as ever; `save` is not called and no signal is sent.

    Returns:
        How many rows there were.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    quote = connection.ops.quote_name
    sets, arrays, names = [], [], []
    for name in columns:
        column, kind = quote(str(fields[name].column)), fields[name].cast_db_type(connection)
        sets.append(f"{column} = own.{column}")
        arrays.append(f"%s::{kind}[]")
        names.append(column)
    sets += [f"{quote(str(fields[name].column))} = %s" for name in same or {}]
    statement = (
        f"UPDATE {quote(model._meta.db_table)} AS told SET {', '.join(sets)}"  # nosec B608 # names of a model
        f" FROM unnest(%s::bigint[], {', '.join(arrays)}) AS own(of_key, {', '.join(names)})"
        f" WHERE told.{quote(str(model._meta.pk.column))} = own.of_key"
    )
    shared = [fields[name].get_db_prep_save(value, connection) for name, value in (same or {}).items()]
    varying = [_values(fields[name], values) for name, values in columns.items()]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*shared, array(keys), *varying])
        return int(cursor.rowcount)


def _values(field: Any, values: Sequence[Any]) -> Any:
    return array([field.get_db_prep_save(value, connection) for value in values])
