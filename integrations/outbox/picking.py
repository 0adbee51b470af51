"""Which rows come next: the two questions to the database that the claiming of rows begins with.

The queue belongs to merchants, and a merchant's rows go through the account that it uses at that moment. Merchants that
have queued rows are found by skipping through the queue's index, so a long queue of one costs the others nothing.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

_QUEUEING = """
WITH RECURSIVE queueing AS (
    (SELECT merchant_id FROM integrations_outboxrow WHERE state = 'queued' AND NOT held ORDER BY merchant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT o.merchant_id FROM integrations_outboxrow AS o
            WHERE o.state = 'queued' AND NOT o.held AND o.merchant_id > queueing.merchant_id
            ORDER BY o.merchant_id LIMIT 1)
    FROM queueing WHERE queueing.merchant_id IS NOT NULL
)"""

# The order inside is that of the index, or the planner might read the whole table for its one row.
_DUE_ACCOUNTS = f"""{_QUEUEING}
SELECT DISTINCT merchant.dfire_account_id
FROM queueing
JOIN merchants_merchant AS merchant ON merchant.id = queueing.merchant_id
CROSS JOIN LATERAL (
    SELECT o.id FROM integrations_outboxrow AS o
    WHERE o.merchant_id = merchant.id AND o.state = 'queued' AND NOT o.held AND o.available_at <= %(now)s
    ORDER BY o.priority, o.id LIMIT 1
) AS due
WHERE merchant.dfire_account_id IS NOT NULL
"""  # nosec B608 # constants

# A row stands back behind an unsettled earlier one of the same coupon; what concerns a template, and its deliveries,
# behind an unsettled earlier one of the template; a delivery until its promotion has been saved.
# Most of the deliveries that wait for their promotion are not even looked at (`holding`).
# A row that workers have died of repeatedly is a suspect: one at a time, so that it takes no other suspect with it.
# OFFSET 0 keeps each of these a look into an index: with statistics of an emptier queue the planner would compare every
# queued row with every other.
_READY = """
    SELECT o.id, o.priority, row_number() OVER (ORDER BY o.priority, o.id) AS turn
    FROM integrations_outboxrow AS o
    WHERE o.merchant_id = {merchant} {only}
      AND o.state = 'queued' AND NOT o.held
      AND o.available_at <= %(now)s
      AND (o.kind <> 'deliver' OR EXISTS (
        SELECT 1 FROM coupons_templateversion AS version
        WHERE version.id = o.version_id AND version.saved_at IS NOT NULL))
      AND (o.lost_leases < %(suspect)s OR NOT EXISTS (
        SELECT 1 FROM integrations_outboxrow AS other
        WHERE other.state = 'sending' AND other.lost_leases >= %(suspect)s OFFSET 0))
      AND NOT EXISTS (
        SELECT 1 FROM integrations_outboxrow AS earlier
        WHERE earlier.coupon_id = o.coupon_id AND earlier.id < o.id
          AND earlier.state IN ('queued', 'waiting', 'sending') OFFSET 0)
      AND NOT EXISTS (
        SELECT 1 FROM integrations_outboxrow AS earlier
        WHERE earlier.template_id = o.template_id AND earlier.coupon_id IS NULL AND earlier.id < o.id
          AND earlier.state IN ('queued', 'waiting', 'sending')
          AND (o.coupon_id IS NULL OR o.kind = 'deliver') OFFSET 0)
    ORDER BY o.priority, o.id
    LIMIT {most}"""

# Urgent kinds first. Among equals merchants take turns, those with fewer calls in flight first, and where even that is
# equal the lot decides: whoever has the oldest row would win every time where calls go one by one.
# More merchants than rows wanted never get a turn, so each one's first row decides whose rows are looked at.
_PICK = f"""{_QUEUEING}, in_flight AS (
    SELECT merchant_id, count(*) AS calls FROM integrations_outboxrow
    WHERE state = 'sending' AND account_id = %(account)s GROUP BY merchant_id
), next_merchants AS (
    SELECT merchant.id, coalesce(in_flight.calls, 0) AS calls
    FROM queueing
    JOIN merchants_merchant AS merchant
      ON merchant.id = queueing.merchant_id AND merchant.dfire_account_id = %(account)s
    LEFT JOIN in_flight ON in_flight.merchant_id = merchant.id
    CROSS JOIN LATERAL ({_READY.format(merchant="merchant.id", most="1", only="")}) AS head
    ORDER BY head.priority, coalesce(in_flight.calls, 0), random()
    LIMIT %(most)s
)
SELECT picked.id
FROM next_merchants
CROSS JOIN LATERAL ({_READY.format(merchant="next_merchants.id", most="%(most)s", only="")}) AS picked
ORDER BY picked.priority, next_merchants.calls + picked.turn, random()
LIMIT %(most)s
"""  # nosec B608 # constants

_THIS_ONE = _READY.format(merchant="%(merchant)s", most="1", only="AND o.id = %(row)s")


@transaction.atomic
def due_accounts(now: datetime) -> list[int]:
    """The accounts whose merchants have queued rows that may go now; some of them may turn out to be held back."""
    return _first_column(_DUE_ACCOUNTS, {"now": now})


@transaction.atomic
def pick(account_id: int, most: int, now: datetime) -> list[int]:
    """The ids of the rows that go next through this account, in their order."""
    return _first_column(_PICK, _parameters(account_id, most, now))


@transaction.atomic
def pick_this(row_id: int, merchant_id: int, now: datetime) -> list[int]:
    """The row of this merchant if it may go now, whatever its turn is."""
    return _first_column(
        _THIS_ONE, {"row": row_id, "merchant": merchant_id, "now": now, "suspect": settings.OUTBOX_SUSPECT_LEASES}
    )


def _parameters(account_id: int, most: int, now: datetime) -> dict[str, Any]:
    return {"account": account_id, "most": most, "now": now, "suspect": settings.OUTBOX_SUSPECT_LEASES}


def _first_column(sql: str, parameters: dict[str, Any]) -> list[int]:
    """Ask so that rows are read in the order of the queue's index.

    A planner whose statistics are of an emptier queue (it takes a minute after a bulk issue to learn better) would
    rather sort all of it: a second each time, with a hundred thousand rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_sort = off; {sql}; SET LOCAL enable_sort = on", parameters)
        cursor.nextset()
        return [row[0] for row in cursor.fetchall()]
