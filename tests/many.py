"""Thousands of coupons in a second, past the door: for tests of what lists read."""

from django.db import connection

from coupons.models import CouponTemplate
from merchants.models import Customer

_GIVE = """
INSERT INTO coupons_issuedcoupon (code, merchant_id, template_id, version_id, customer_id, status, delivery, valid_from,
    valid_until, source, issued_at, delivered_appid, delivered_openid, delivered_mobile, redeemed_at, redeemed_through,
    ended_at, flag)
SELECT lpad((1000000000000000 + (%(first)s::bigint + n) * 7919)::text, 16, '0'),
    %(merchant)s, %(template)s, %(version)s,
    (%(customers)s::bigint[])[1 + n %% cardinality(%(customers)s::bigint[])], fares,
    CASE WHEN fares = 'issued' AND n %% 10 = 0 THEN 'waiting' ELSE 'delivered' END, at, at + interval '30 days', 'push',
    at, '', '', '', CASE WHEN fares = 'redeemed' THEN at END, '', CASE WHEN fares = 'expired' THEN at END, ''
FROM generate_series(0, %(number)s - 1) AS n,
    LATERAL (SELECT now() - (%(number)s - n) * interval '1 day' * %(days)s / %(number)s AS at) AS given,
    LATERAL (SELECT CASE WHEN n %% 3 = 0 THEN 'redeemed' WHEN at < now() - interval '30 days' THEN 'expired'
        ELSE 'issued' END AS fares) AS lived
"""


def give_many(template: CouponTemplate, number: int, *, customers: int = 50, days: int = 365) -> None:
    """So many coupons evenly over the last days, a third redeemed, the rest expired after 30 days; then ANALYZE."""
    of = template.merchant
    names = [(f"many-{template.pk}-{place}", f"137{template.pk % 10_000:04}{place:04}") for place in range(customers)]
    holders = Customer.objects.bulk_create(Customer(merchant=of, identifier=name, mobile=to) for name, to in names)
    values = {
        "first": template.pk * 1_000_000, "merchant": template.merchant_id, "template": template.pk, "number": number,
        "version": template.versions.latest("number").pk, "customers": [one.pk for one in holders], "days": days,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, values)
        cursor.execute("ANALYZE coupons_issuedcoupon, merchants_customer")
