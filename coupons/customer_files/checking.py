"""The dry run: every row of a customer file is judged, and nothing is changed but what the file knows about itself.

A slice's judged rows and the file's `position` are committed together. Whoever goes on after a worker has died reads
the file from its beginning, and passes over what is judged.
"""

from collections.abc import Iterator
from itertools import islice

from django.db import connection
from django.db.models import Count

from merchants import bindings
from merchants.bindings import JUDGED, Entry
from merchants.choices import FileState, Verdict
from merchants.models import CustomerFile

SLICE = 10_000

_KEPT = """
INSERT INTO merchants_customerfilerow (file_id, created_at, {columns})
SELECT %(file)s, now(), judged.* FROM ({judged}) AS judged ORDER BY number"""
_CHOSEN = "file_id = {file:d} AND number > {position:d}"
# Coupons that wait for somebody who will lack nothing any more.
_WAITING = """
SELECT count(*) FROM (
    SELECT customer_id, max(mobile) AS mobile, max(openid) AS openid FROM merchants_customerfilerow
    WHERE file_id = %s AND verdict = 'change' GROUP BY customer_id
) AS given
JOIN merchants_customer AS customer ON customer.id = given.customer_id
JOIN coupons_issuedcoupon AS coupon ON coupon.customer_id = customer.id
WHERE coupon.delivery = 'waiting' AND coupon.status = 'issued'
    AND (given.mobile <> '' OR customer.mobile <> '') AND (given.openid <> '' OR customer.openid <> '')"""


def check_slice(file: CustomerFile, entries: Iterator[Entry]) -> None:
    """Judge the next rows of a locked file; behind the last one it waits for staff's yes.

    Raises:
        TableError: it cannot be read any further.
    """
    rows = list(islice((entry for entry in entries if entry.number > file.position), SLICE))
    if not rows:
        _conclude(file)
        return
    bindings.take_in(rows)
    judged, values = bindings.judge(file.merchant_id, "said")
    with connection.cursor() as cursor:
        cursor.execute(_KEPT.format(columns=JUDGED, judged=judged), {**values, "file": file.pk})
        cursor.execute("DROP TABLE said")
    chosen = _CHOSEN.format(file=file.pk, position=file.position)
    bindings.turn_down_unknown(file.merchant_id, "merchants_customerfilerow", chosen, adds_unknown=file.adds_unknown)
    file.position = rows[-1].number
    file.save(update_fields=["position"])


def _conclude(file: CustomerFile) -> None:
    """Hold the rows against each other, count them, and keep those that say something."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE merchants_customerfilerow")  # the planner knows nothing of these rows yet
    bindings.without_contradictions("merchants_customerfilerow", f"file_id = {file.pk:d}")
    counts = dict(file.rows.order_by().values_list("verdict").annotate(rows=Count("pk")))
    file.new, file.change, file.equal, file.bad = (counts.get(verdict, 0) for verdict in Verdict)
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [file.pk])
        (file.waiting,) = cursor.fetchone()
        cursor.execute("DELETE FROM merchants_customerfilerow WHERE file_id = %s AND verdict = 'equal'", [file.pk])
    bindings.thrown_away(file)
    file.position, file.state = 0, FileState.READY
    file.save(update_fields=["new", "change", "equal", "bad", "waiting", "position", "state"])
