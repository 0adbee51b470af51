"""The dry run: every row of a file is looked at, and nothing is changed but what the batch knows about itself.

Worked in slices like everything else. The summary says how many would get a coupon, how many of them are new here, how
many have no openid yet and will wait, and counts the reasons of the others.
"""

from collections import Counter

from django.db import connection
from django.db.models import Q

from coupons.batches.problems import RowProblem
from coupons.batches.rows import next_rows, write_back
from coupons.choices import BatchState
from coupons.issuing.limits import at_limit
from coupons.models import Batch
from merchants import customers

SLICE = 2000

# Known customers are told apart by who they are, new ones by what was typed.
_TWICE = """
UPDATE coupons_batchrow SET problem = %s WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (
            PARTITION BY customer_id, CASE WHEN customer_id IS NULL THEN text END ORDER BY number
        ) AS nth
        FROM coupons_batchrow WHERE batch_id = %s AND problem = ''
    ) AS good WHERE nth > 1
)"""


def check_slice(batch: Batch) -> None:
    """Check the next rows of a locked batch; behind the last one it waits for staff's yes."""
    rows = next_rows(batch, SLICE)
    if not rows:
        _conclude(batch)
        return
    named = customers.find_named(batch.merchant, {row.text for row in rows if not row.problem and row.text})
    full = at_limit(batch.template, [found[0] for found in named.values() if len(found) == 1])
    looked_at = [row for row in rows if not row.problem and named.get(row.text)]
    for row in looked_at:
        found = named[row.text]
        if len(found) > 1:
            row.problem = RowProblem.SEVERAL
        else:
            row.customer_id = found[0]
            row.problem = full.get(found[0], "")
    write_back(looked_at)
    batch.position = rows[-1].number
    batch.save(update_fields=["position"])


def _conclude(batch: Batch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TWICE, [RowProblem.TWICE.value, batch.pk])
    reasons = Counter(batch.rows.exclude(problem="").values_list("problem", flat=True))
    good = batch.rows.filter(problem="")
    batch.total, batch.bad = good.count(), sum(reasons.values())
    waiting = good.filter(Q(customer=None) | Q(customer__openid="") | Q(customer__mobile=""))
    batch.summary = {
        "new": good.filter(customer=None).count(),
        "waiting": waiting.count(),
        "reasons": dict(reasons.most_common()),
    }
    batch.position = 0
    batch.state = BatchState.READY
    batch.save(update_fields=["total", "bad", "summary", "position", "state"])
