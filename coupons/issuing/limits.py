"""The limits per customer, and per customer and Shanghai day, asked for many customers at once."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone

from coupons.errors import Reason
from coupons.issuing.common import counted
from coupons.models import CouponTemplate
from merchants.clock import day_start, local_day
from merchants.models import Customer


def at_limit(
    template: CouponTemplate, customers: Sequence[Customer], now: datetime | None = None
) -> dict[int, Reason]:  # fmt: skip
    """Who of the customers has as many of the template's coupons as one may get, by the customer's id.

    Exact while the template's row is locked; else a forecast.
    """
    ever, a_day = template.per_person_limit, template.per_person_daily_limit
    if ever is None and a_day is None:
        return {}
    today = Q(issued_at__gte=day_start(local_day(now or timezone.now())))
    held = (
        counted(template)
        .filter(customer__in=[customer.pk for customer in customers])
        .order_by()
        .values_list("customer")
        .annotate(all=Count("pk"), today=Count("pk", filter=today))
    )
    numbers = {customer_id: (all_, on_day) for customer_id, all_, on_day in held}
    found: dict[int, Reason] = {}
    for customer in customers:
        all_, on_day = numbers.get(customer.pk, (0, 0))
        if ever is not None and all_ >= ever:
            found[customer.pk] = Reason.PERSON_LIMIT
        elif a_day is not None and on_day >= a_day:
            found[customer.pk] = Reason.PERSON_DAILY_LIMIT
    return found
