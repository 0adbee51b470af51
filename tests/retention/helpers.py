"""Reading the whole database, and making things old."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from merchants.models import Merchant

_KEPT_ELSEWHERE = {"django_migrations"}


def everything() -> str:
    """All that stands in any column of any table, as text."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in _KEPT_ELSEWHERE]
        assert len(tables) > len(list(apps.get_models()))  # many-to-many tables too
        found = []
        for table in tables:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" AS t')
            found += [f"{table}: {row[0]}" for row in cursor.fetchall()]
    return "\n".join(found)


def where(name: str) -> list[str]:
    """The rows of the database in which a name stands."""
    return [line[:300] for line in everything().splitlines() if name in line]


def figures(merchant: Merchant) -> dict[str, Any]:
    """The merchant's accounting: coupons, those redeemed and when and where, what they were worth."""
    coupons = IssuedCoupon.objects.filter(merchant=merchant)
    redeemed = coupons.filter(status="redeemed")
    return {
        "issued": coupons.count(),
        "by_template": list(coupons.order_by("template").values_list("template").annotate(Count("pk"))),
        "redeemed": list(redeemed.order_by("pk").values_list("code", "redeemed_at", "redeemed_shop", "template")),
        "worth": redeemed.aggregate(sum=Sum("template__amount_fen"))["sum"],
        "events": list(coupons.order_by("events").values_list("events__kind", "events__at").exclude(events=None)),
    }


def counts_right(template: CouponTemplate) -> bool:
    """Whether the template's count is that of its coupons that are not revoked, as everywhere."""
    template.refresh_from_db()
    return template.issued_count == template.coupons.exclude(status="revoked").count()


def made_old(rows: Any, days: float, *fields: str) -> None:
    """Let it have happened so many days ago."""
    rows.update(**{field: timezone.now() - timedelta(days=days) for field in fields})
