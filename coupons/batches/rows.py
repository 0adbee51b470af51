"""The rows of a file as slices of a batch read and write them: thousands at once, without an instance of the model."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from coupons.models import Batch
from merchants.inserting import array

_WRITE_BACK = """
UPDATE coupons_batchrow AS kept SET customer_id = said.customer_id, problem = said.problem
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS said (id, customer_id, problem)
WHERE kept.id = said.id"""


@dataclass(slots=True)
class Row:
    """One row of a file: where it stands, whom staff named, who that is, and why it was turned down if it was."""

    pk: int
    number: int
    text: str
    customer_id: int | None
    problem: str


def next_rows(batch: Batch, most: int, **only: Any) -> list[Row]:
    """The rows behind the batch's position, in their order; of those chosen by `only`."""
    rows = batch.rows.filter(number__gt=batch.position, **only).order_by("number")
    return [Row(*values) for values in rows.values_list("pk", "number", "text", "customer_id", "problem")[:most]]


def write_back(rows: Iterable[Row]) -> None:
    """Store the customer and the problem of each row."""
    rows = list(rows)
    if not rows:
        return
    columns: list[Any] = [
        array([row.pk for row in rows]),
        [row.customer_id for row in rows],
        [str(row.problem) for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_BACK, columns)
