"""The limits per customer, and per customer and Shanghai day, asked for many customers at once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.utils import timezone

from coupons.choices import CouponStatus
from coupons.errors import Reason
from coupons.models import CouponTemplate
from merchants.clock import day_start, local_day
from merchants.inserting import array

# Revoked ones do not count, nor do replacements: the coupon that they stand in for does.
_HELD = """
SELECT coupon.customer_id, count(*), count(*) FILTER (WHERE coupon.issued_at >= %(today)s)
FROM coupons_issuedcoupon AS coupon
WHERE coupon.template_id = %(template)s AND coupon.customer_id = ANY(%(customers)s::bigint[])
    AND coupon.status <> %(revoked)s
    AND NOT EXISTS (SELECT FROM coupons_reissue AS reissue WHERE reissue.replacement_id = coupon.id)
GROUP BY coupon.customer_id
"""


def at_limit(
    template: CouponTemplate, customers: Sequence[int], now: datetime | None = None
) -> dict[int, Reason]:  # fmt: skip
    """Who of the customers (their ids) has as many of the template's coupons as one may get.

    Exact while the template's row is locked; else a forecast.
    """
    ever, a_day = template.per_person_limit, template.per_person_daily_limit
    if ever is None and a_day is None:
        return {}
    asked = {
        "template": template.pk,
        "customers": array(customers),
        "today": day_start(local_day(now or timezone.now())),
        "revoked": CouponStatus.REVOKED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HELD, asked)
        held = cursor.fetchall()
    found: dict[int, Reason] = {}
    for customer, all_, today in held:
        if ever is not None and all_ >= ever:
            found[customer] = Reason.PERSON_LIMIT
        elif a_day is not None and today >= a_day:
            found[customer] = Reason.PERSON_DAILY_LIMIT
    return found
