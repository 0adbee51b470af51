"""Reading the whole database, and making things old."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from coupons import erasing as coupons_erasing
from coupons.models import Batch, BatchRow, CouponTemplate, IssuedCoupon
from integrations.models import (
    ApiAnswer,
    ApiCall,
    DfireCallback,
    OutboxAttempt,
    OutboxRow,
    Push,
    PushAnswer,
    SignatureSeen,
    WebhookDelivery,
)
from integrations.retention.kinds import KINDS
from merchants.models import Customer, CustomerFile, CustomerFileRow, Erasure, Merchant
from tests.outbox.dfire import Dfire

_KEPT_ELSEWHERE = {"django_migrations"}
NOTHING_PRUNED = {kind.name: 0 for kind in KINDS}


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


def everything_old(days: float = 365) -> None:
    """All of it happened a year ago."""
    made_old(OutboxAttempt.objects, days, "started_at")
    made_old(OutboxRow.objects.exclude(settled_at=None), days, "settled_at")
    made_old(Push.objects, days, "received_at")
    made_old(PushAnswer.objects, days, "answered_at")
    made_old(ApiAnswer.objects, days, "answered_at")
    made_old(ApiCall.objects, days, "at")
    made_old(SignatureSeen.objects, days, "seen_at")
    made_old(WebhookDelivery.objects, days, "created_at")
    made_old(BatchRow.objects, days, "created_at")
    made_old(Batch.objects, days, "created_at")
    made_old(CustomerFileRow.objects, days, "created_at")
    made_old(CustomerFile.objects, days, "created_at")
    made_old(DfireCallback.objects.exclude(settled_at=None), days, "settled_at")


def erase(customer: Customer) -> Erasure:
    """Ask for it as staff would."""
    return coupons_erasing.erase(customer, reason="asked by letter", asked_by="staff:lili")[0]


def held_at(dfire: Dfire, coupon: IssuedCoupon) -> str:
    """The coupon's status in dfire's ledger."""
    held = dfire.coupon(coupon.code)
    return str(held["status"]) if held else ""
