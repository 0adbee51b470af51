"""The dry run: every row of a file is looked at, and nothing is changed but what the batch knows about itself.

Worked in slices like everything else. The summary says how many would get a coupon, how many of them are new here, how
many have no openid yet and will wait, and counts the reasons of the others.
"""

from collections import Counter

from django.db.models import Q

from coupons.batches.problems import RowProblem
from coupons.choices import BatchState
from coupons.issuing.limits import at_limit
from coupons.models import Batch, BatchRow
from merchants import customers
from merchants.models import Customer

SLICE = 1000


def check_slice(batch: Batch) -> None:
    """Check the next rows of a locked batch; behind the last one it waits for staff's yes."""
    rows = list(batch.rows.filter(number__gt=batch.position).order_by("number")[:SLICE])
    if not rows:
        _conclude(batch)
        return
    named = customers.find_named(batch.merchant, {row.text for row in rows if not row.problem})
    full = at_limit(batch.template, [found[0] for found in named.values() if len(found) == 1])
    earlier = _standing_further_up(batch, rows, named)
    for row in rows:
        if row.problem:
            continue
        found = named[row.text]
        row.customer = found[0] if len(found) == 1 else None
        key = row.customer_id or row.text
        if len(found) > 1:
            row.problem = RowProblem.SEVERAL
        elif key in earlier:
            row.problem = RowProblem.TWICE
        elif row.customer is not None:
            row.problem = full.get(row.customer.pk, "")
        earlier.add(key)
    BatchRow.objects.bulk_update(rows, ["customer", "problem"])
    batch.position = rows[-1].number
    batch.save(update_fields=["position"])


def _standing_further_up(batch: Batch, rows: list[BatchRow], named: dict[str, list[Customer]]) -> set[int | str]:
    """Who of these stands in a slice before: known customers by id, unknown ones by what was typed."""
    before = batch.rows.filter(number__lte=batch.position)
    ids = {found[0].pk for found in named.values() if len(found) == 1}
    new = {name for name, found in named.items() if not found}
    known = before.filter(customer__in=ids).values_list("customer", flat=True)
    return {*known, *before.filter(customer=None, text__in=new).values_list("text", flat=True)}


def _conclude(batch: Batch) -> None:
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
