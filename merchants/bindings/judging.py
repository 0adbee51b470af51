"""What the rows of a customer file come to, judged thousands at a time by the database.

An empty cell leaves what is there; an openid is never taken from one customer for another; whoever was erased does not
come back by a file. A judged row stands in a table with the columns `JUDGED`: the file's own, or a temporary one.
"""

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection

from merchants.bindings.reading import Entry
from merchants.choices import Why
from merchants.erasing import hashes_of
from merchants.inserting import array
from merchants.models import Erasure

_ESCAPED = re.compile(r"[\\\r]")  # what COPY reads otherwise
JUDGED = "number, identifier, mobile, openid, verdict, why, customer_id"
_TAKEN_IN = """
CREATE TEMPORARY TABLE said
(number integer, identifier text, mobile text, openid text, name text, why text) ON COMMIT DROP"""

# Each row looks its customer up by index: LIMIT keeps the planner from reading the whole table for a few thousand rows,
# and so does >= where nearly nobody has a mobile number.
_OWN = "FROM merchants_customer WHERE merchant_id = %(merchant)s"
_JUDGE = f"""
SELECT said.number, said.identifier, said.mobile, said.openid,
    CASE
        WHEN said.why <> '' OR numbered.many > 1 THEN 'bad'
        WHEN holder.id IS DISTINCT FROM known.id AND holder.id IS NOT NULL THEN 'bad'
        WHEN known.id IS NULL THEN 'new'
        WHEN said.mobile NOT IN ('', known.mobile) OR said.openid NOT IN ('', known.openid) THEN 'change'
        ELSE 'equal'
    END AS verdict,
    CASE
        WHEN said.why <> '' THEN said.why
        WHEN numbered.many > 1 THEN '{Why.SEVERAL}'
        WHEN holder.id IS DISTINCT FROM known.id AND holder.id IS NOT NULL THEN '{Why.OPENID_TAKEN}'
        ELSE ''
    END AS why,
    known.id AS customer_id
FROM {{source}} AS said
LEFT JOIN LATERAL (
    SELECT id {_OWN} AND said.why = '' AND identifier = said.name LIMIT 1
) AS named ON true
LEFT JOIN LATERAL (
    SELECT id {_OWN} AND said.why = '' AND named.id IS NULL AND openid = said.name AND openid <> '' LIMIT 1
) AS bound ON true
LEFT JOIN LATERAL (
    SELECT min(id) AS id, count(*) AS many {_OWN} AND said.why = '' AND named.id IS NULL AND bound.id IS NULL
    AND said.name ~ '^1[0-9]{{{{10}}}}$' AND mobile = said.name AND mobile >= '1'
) AS numbered ON true
LEFT JOIN LATERAL (
    SELECT id, mobile, openid FROM merchants_customer
    WHERE id = coalesce(named.id, bound.id, CASE numbered.many WHEN 1 THEN numbered.id END) LIMIT 1
) AS known ON true
LEFT JOIN LATERAL (
    SELECT id {_OWN} AND said.why = '' AND said.openid <> '' AND openid = said.openid AND openid <> '' LIMIT 1
) AS holder ON true
"""  # nosec B608 # columns of ours

# Rows are about one customer by who that is, else by what they call them. Of rows that say different things nobody here
# can know which is right, so none is done; one that says nothing that earlier ones have not said changes nothing more.
_CONTRADICTIONS = """
WITH good AS MATERIALIZED (
    SELECT number, mobile, openid, coalesce(customer_id, 0) AS who,
        (CASE WHEN customer_id IS NULL THEN coalesce(nullif(identifier, ''), mobile) ELSE '' END) COLLATE "C" AS name
    FROM {table} WHERE {chosen} AND verdict <> 'bad'
), shared AS (
    SELECT who, name, coalesce(min(nullif(mobile, '') COLLATE "C") <> max(nullif(mobile, '') COLLATE "C"), false)
        OR coalesce(min(nullif(openid, '') COLLATE "C") <> max(nullif(openid, '') COLLATE "C"), false) AS torn
    FROM good GROUP BY who, name HAVING count(*) > 1
), told AS (
    SELECT number, torn,
        CASE row_number() OVER of_one WHEN 1 THEN lead(number) OVER of_one ELSE first_value(number) OVER of_one END
            AS other,
        (mobile = '' OR count(*) FILTER (WHERE mobile <> '') OVER earlier > 0)
            AND (openid = '' OR count(*) FILTER (WHERE openid <> '') OVER earlier > 0) AS again
    FROM good JOIN shared USING (who, name)
    WINDOW of_one AS (PARTITION BY who, name ORDER BY number),
        earlier AS (of_one ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), giving AS (
    SELECT openid COLLATE "C" AS openid FROM good WHERE openid <> '' GROUP BY 1
    HAVING count(*) > 1 AND (min(who) <> max(who) OR min(name) <> max(name))
), given AS (
    SELECT number,
        CASE row_number() OVER of_one WHEN 1 THEN lead(number) OVER of_one ELSE first_value(number) OVER of_one END
            AS other
    FROM good JOIN giving USING (openid)
    WINDOW of_one AS (PARTITION BY openid ORDER BY number)
), found AS (
    SELECT number AS row, 'bad' AS verdict, 'openid_twice' AS why, other FROM given
    UNION ALL
    SELECT number, 'bad', 'twice', other FROM told WHERE torn AND number NOT IN (SELECT number FROM given)
    UNION ALL
    SELECT number, 'equal', '', NULL FROM told WHERE again AND NOT torn AND number NOT IN (SELECT number FROM given)
)
UPDATE {table} AS kept SET verdict = found.verdict, why = found.why, other = found.other
FROM found WHERE {chosen} AND kept.number = found.row"""

_NAMES = "SELECT number, coalesce(nullif(identifier, ''), mobile) FROM {table} WHERE {chosen} AND verdict = 'new'"
_TURNED_DOWN = "UPDATE {table} SET verdict = 'bad', why = %s WHERE {chosen} AND verdict = 'new'"


def take_in(entries: Sequence[Entry]) -> None:
    """Put rows into the temporary table `said` of this transaction."""
    rows = [
        (str(number), identifier, mobile, openid, identifier or mobile, why)
        for number, identifier, mobile, openid, why in entries
    ]
    block = "\n".join(map("\t".join, rows)) + "\n"
    plain = block.count("\t") == 5 * len(rows) and block.count("\n") == len(rows) and not _ESCAPED.search(block)
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_IN)
        with cursor.copy("COPY said FROM STDIN") as copy:
            if plain:
                copy.write(block)
                return
            for row in rows:
                copy.write_row(row)


def judge(merchant_id: int, source: str) -> tuple[str, dict[str, Any]]:
    """A SELECT of `JUDGED` over a source (SQL) with the columns of `said`; its parameters are named."""
    return _JUDGE.format(source=source), {"merchant": merchant_id}


def turn_down_unknown(merchant_id: int, table: str, chosen: str = "true", *, adds_unknown: bool) -> None:
    """Of judged rows about nobody known: turn down those about somebody who was erased here, or all of them.

    Args:
        table: of judged rows.
        chosen: which of them, in SQL.
        adds_unknown: whether customers who are not known yet are entered, or are a mistake.
    """
    with connection.cursor() as cursor:
        if numbers := _erased(merchant_id, table, chosen):
            also = f"{chosen} AND number = ANY(%s::integer[])"
            cursor.execute(_TURNED_DOWN.format(table=table, chosen=also), [Why.WAS_ERASED.value, array(numbers)])
        if not adds_unknown:
            cursor.execute(_TURNED_DOWN.format(table=table, chosen=chosen), [Why.UNKNOWN.value])


def without_contradictions(table: str, chosen: str = "true") -> None:
    """Turn down judged rows that contradict each other, and let those that repeat others change nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTRADICTIONS.format(table=table, chosen=chosen))


def _erased(merchant_id: int, table: str, chosen: str) -> list[int]:
    """The numbers of rows that name somebody who was erased at the merchant. Nothing is hashed where nobody was."""
    erasures = Erasure.objects.filter(customer__merchant=merchant_id)
    if not erasures.exists():
        return []
    hashes = {one for found in erasures.values_list("name_hashes", flat=True).iterator() for one in found}
    with connection.cursor() as cursor:
        cursor.execute(_NAMES.format(table=table, chosen=chosen))
        return [number for number, name in cursor.fetchall() if not hashes.isdisjoint(hashes_of(name))]
