"""Writing what has become of many rows of a file, in one statement."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from coupons.models import BatchRow

_WRITE_BACK = """
UPDATE coupons_batchrow AS kept SET customer_id = said.customer_id, problem = said.problem
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS said (id, customer_id, problem)
WHERE kept.id = said.id"""


def write_back(rows: Sequence[BatchRow]) -> None:
    """Store the customer and the problem of each row."""
    columns: list[Any] = [
        [row.pk for row in rows],
        [row.customer_id for row in rows],
        [str(row.problem) for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_BACK, columns)
