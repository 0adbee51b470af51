"""What the database knows for Prometheus: queue, accounts and inbox, the same from whichever process is asked.

Every question reads an index of the few unsettled rows, never the whole of a large table, and has a time limit.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import DatabaseError, connection, transaction
from prometheus_client.core import GaugeMetricFamily

from integrations.models.alerts import IncidentKind

logger = logging.getLogger(__name__)

LIMIT_MS = 2000  # for each question
MOST_COUNTED = 10_000  # deliveries of a webhook in a state: one that is down for days has any number of them

_OUTBOX = """
SELECT coalesce(account.name, ''), o.state, count(*),
       coalesce(extract(epoch FROM now() - min(o.queued_at)), 0)::float,
       count(*) FILTER (WHERE o.state = 'queued' AND o.available_at < now() - interval '10 seconds')
FROM integrations_outboxrow AS o
JOIN merchants_merchant AS merchant ON merchant.id = o.merchant_id
LEFT JOIN merchants_dfireaccount AS account ON account.id = coalesce(merchant.dfire_account_id, o.account_id)
WHERE o.state IN ('queued', 'waiting', 'sending')
GROUP BY 1, 2
"""
_DEAD = """
SELECT coalesce(account.name, ''), dead.number
FROM (SELECT account_id, count(*) AS number FROM integrations_outboxrow WHERE state = 'dead' GROUP BY 1) AS dead
LEFT JOIN merchants_dfireaccount AS account ON account.id = dead.account_id
"""
_INCIDENTS = "SELECT kind, count(*) FROM integrations_incident WHERE closed_at IS NULL GROUP BY 1"
_INBOX = """
SELECT account.name, count(*), extract(epoch FROM now() - min(callback.received_at))::float
FROM integrations_dfirecallback AS callback
JOIN merchants_dfireaccount AS account ON account.id = callback.account_id
WHERE callback.state IN ('unknown_coupon', 'other_account')
GROUP BY 1
"""
_ACCOUNTS = """
SELECT account.name, account.max_concurrency, account.max_requests_per_second,
       (state.stopped_at IS NOT NULL)::int, (coalesce(state.slowed_until > now(), false))::int,
       coalesce(extract(epoch FROM state.last_answer_at), 0)::float
FROM merchants_dfireaccount AS account
LEFT JOIN integrations_accountstate AS state ON state.account_id = account.id
"""
# Each state by an index of its own, of each address those that are due first and no more than {most}. What an address
# that is off has pending does not grow old.
_WEBHOOKS = """
SELECT CASE WHEN lane.off_at IS NULL THEN 'queued' ELSE 'off' END, sum(found.number)::bigint,
       coalesce(extract(epoch FROM now() - min(found.oldest) FILTER (WHERE lane.off_at IS NULL)), 0)::float
FROM integrations_webhookendpoint AS endpoint
LEFT JOIN integrations_webhooklane AS lane ON lane.endpoint_id = endpoint.id
CROSS JOIN LATERAL (
    SELECT count(*) AS number, min(first.created_at) AS oldest FROM (
        SELECT created_at FROM integrations_webhookdelivery
        WHERE endpoint_id = endpoint.id AND state = 'queued' ORDER BY available_at, id LIMIT {most}
    ) AS first
) AS found
GROUP BY 1
UNION ALL SELECT 'sending', count(*), 0 FROM integrations_webhookdelivery WHERE state = 'sending'
UNION ALL SELECT 'failed', coalesce(sum(found.number), 0)::bigint, 0
FROM integrations_webhookendpoint AS endpoint
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT 1 FROM integrations_webhookdelivery
        WHERE endpoint_id = endpoint.id AND state = 'failed' ORDER BY id LIMIT {most}
    ) AS first
) AS found
"""
_SERVER = "SELECT extract(epoch FROM clock_timestamp())::float, pg_database_size(current_database())"


def collect() -> list[GaugeMetricFamily]:
    """Ask the database for all of it. What is asked of webhooks may be missing: partners' trouble hides nothing else.

    Raises:
        DatabaseError: it does not answer, or not within LIMIT_MS.
    """
    found = [*_outbox(), *_dead(), *_inbox(), *_accounts(), *_incidents()]
    try:
        found += [*_webhooks()]
    except DatabaseError as error:
        logger.warning("The figures of webhooks are missing (%s).", type(error).__name__)
    return found


def server() -> tuple[float, int]:
    """PostgreSQL's clock (seconds since 1970) and the size of the database (bytes)."""
    clock, size = _ask(_SERVER)[0]
    return clock, size


def _outbox() -> Iterator[GaugeMetricFamily]:
    rows = _gauge("portal_outbox_rows", "Unsettled rows of the outbox.", ["account", "state"])
    oldest = _gauge("portal_outbox_oldest_seconds", "For how long the oldest row has been queued.", ["account"])
    overdue = _gauge("portal_outbox_overdue_rows", "Queued rows that were due 10 seconds ago.", ["account"])
    ages: dict[str, float] = {name: 0.0 for (name,) in _ask("SELECT name FROM merchants_dfireaccount")}
    late = dict.fromkeys(ages, 0)
    for account, state, number, age, due in _ask(_OUTBOX):
        rows.add_metric([account, state], number)
        if state != "waiting":
            ages[account] = max(ages.get(account, 0.0), age)
            late[account] = late.get(account, 0) + due
    for account in ages:
        oldest.add_metric([account], ages[account])
        overdue.add_metric([account], late[account])
    yield from (rows, oldest, overdue)


def _dead() -> Iterator[GaugeMetricFamily]:
    dead = _gauge("portal_outbox_dead_rows", "Failed rows that staff have to look at.", ["account"])
    for account, number in _ask(_DEAD):
        dead.add_metric([account], number)
    yield dead


def _inbox() -> Iterator[GaugeMetricFamily]:
    number = _gauge("portal_inbox_open", "Callbacks that fit no coupon yet.", ["account"])
    oldest = _gauge("portal_inbox_oldest_seconds", "For how long the oldest of them has been there.", ["account"])
    for account, count, age in _ask(_INBOX):
        number.add_metric([account], count)
        oldest.add_metric([account], age)
    yield from (number, oldest)


def _accounts() -> Iterator[GaugeMetricFamily]:
    gauges = [
        _gauge("portal_account_max_concurrency", "Calls in flight that the account allows.", ["account"]),
        _gauge("portal_account_max_requests_per_second", "Calls a second that it allows; 0 = any.", ["account"]),
        _gauge("portal_account_stopped", "1 while dfire refuses its configuration.", ["account"]),
        _gauge("portal_account_slowed", "1 while dfire has asked for a slower pace.", ["account"]),
        _gauge("portal_account_last_answer_timestamp_seconds", "When dfire last answered; 0 = never.", ["account"]),
    ]
    for name, *values in _ask(_ACCOUNTS):
        for gauge, value in zip(gauges, values, strict=True):
            gauge.add_metric([name], value)
    yield from gauges


def _incidents() -> Iterator[GaugeMetricFamily]:
    incidents = _gauge("portal_incidents_open", "Open incidents by kind (docs/alerts.md).", ["kind"])
    known = dict.fromkeys(IncidentKind.values, 0) | dict(_ask(_INCIDENTS))
    for kind, number in known.items():
        incidents.add_metric([kind], number)
    yield incidents


def _webhooks() -> Iterator[GaugeMetricFamily]:
    rows = _gauge("portal_webhook_rows", "Deliveries to partners that have not arrived.", ["state"])
    oldest = _gauge("portal_webhook_oldest_seconds", "For how long the oldest has been queued, where none is off.", [])
    found = dict.fromkeys(("queued", "sending", "failed", "off"), 0)
    age = 0.0
    for state, number, seconds in _ask(_WEBHOOKS.format(most=MOST_COUNTED)):
        found[state] = number
        age = max(age, seconds)
    for state, number in found.items():
        rows.add_metric([state], number)
    oldest.add_metric([], age)
    yield from (rows, oldest)


def _gauge(name: str, meaning: str, labels: Sequence[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=labels)


@transaction.atomic
def _ask(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {LIMIT_MS}")
        cursor.execute(sql)
        return cursor.fetchall()
