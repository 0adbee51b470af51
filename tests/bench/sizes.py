"""What the filled database holds."""

from datetime import date

from django.db import connection
from django.db.models import Max, Min

from coupons.models import DayFigures

_SIZES = """
SELECT relname, n_live_tup, pg_size_pretty(pg_total_relation_size(relid)) FROM pg_stat_user_tables
WHERE relname IN ('coupons_issuedcoupon', 'coupons_dayfigures', 'integrations_outboxrow', 'coupons_coupontemplate')
ORDER BY relname
"""


def sizes() -> list[str]:
    """Rows (PostgreSQL's own count) and size of the tables that count."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
        return [f"{table:32} {rows:>12,} rows, {size}" for table, rows, size in cursor.fetchall()]


def days() -> tuple[date, date]:
    """The first and the last day with figures."""
    found = DayFigures.objects.aggregate(first=Min("day"), last=Max("day"))
    return found["first"], found["last"]
