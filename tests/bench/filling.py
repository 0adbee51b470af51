"""Fills a database as 400 days of 100 merchants would: coupons in the order of their issue, figures kept by triggers.

A person is the customer of two merchants, and no code follows from another. Each coupon has its row in the outbox. A
day is one statement, so that its rows lie together as they do in life.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.utils import timezone

from coupons import figures
from merchants.clock import local_day
from merchants.models import Merchant, MerchantScope
from tests.factories import DfireAccountFactory, MerchantFactory, ShopFactory

MERCHANTS, SHOPS_EACH, TEMPLATES_EACH, DAYS = 100, 5, 20, 400
CUSTOMERS_EACH = 3000
SCOPED_MERCHANTS = 3
_MERGE_EVERY_DAYS = 20

_TEMPLATES = """
INSERT INTO coupons_coupontemplate (coupon_id, merchant_id, reference, title, notice, kind, amount_fen, min_spend_fen,
    menu_ids, start_date, end_date, shop_entity_ids, use_weekdays, use_times, use_dates, blackout_dates, channels,
    stock, budget_fen, status, issued_count, committed_fen, created_at)
SELECT md5(random()::text || n), merchant.id, '', '满50减10 ' || n, '', 'cash', 1000, 5000, '[]',
    start, start + 60, '[]', '[]', '[]', '[]', '[]', '[]',
    CASE WHEN n %% 3 = 0 THEN 4000 END, CASE WHEN n %% 7 = 0 THEN 5000000 END,
    CASE WHEN start + 60 < %(today)s THEN 'ended' ELSE 'published' END, 0, 0, now()
FROM merchants_merchant AS merchant, generate_series(1, %(each)s) AS n,
    LATERAL (SELECT %(first)s::date + (random() * (%(days)s - 30) + (n + merchant.id) * 0)::int AS start) AS dates
"""
_VERSIONS = """
INSERT INTO coupons_templateversion (template_id, number, promotion_id, dfire_id, terms_json, created_at)
SELECT id, 1, 'p' || id, '', '{}', now() FROM coupons_coupontemplate
"""
_CUSTOMERS = """
INSERT INTO merchants_customer (merchant_id, identifier, mobile, openid, created_at)
SELECT merchant.id, number, number, 'o' || n, now()
FROM merchants_merchant AS merchant, generate_series(1, %(each)s) AS n,
    LATERAL (SELECT '13' || lpad((n * 50 + merchant.id %% 50)::text, 9, '0') AS number) AS person
ORDER BY merchant.id, n
"""
_PICKS = """
CREATE TABLE bench_pick AS
SELECT template.id AS template_id, version.id AS version_id, template.merchant_id, start_date, end_date,
    (SELECT min(id) FROM merchants_customer WHERE merchant_id = template.merchant_id) AS first_customer,
    (SELECT min(id) FROM merchants_shop WHERE merchant_id = template.merchant_id) AS first_shop,
    1000 / (5 + rank() OVER (ORDER BY template.merchant_id) / %(each)s) AS weight
FROM coupons_coupontemplate AS template JOIN coupons_templateversion AS version ON version.template_id = template.id
"""
# A third is redeemed, mostly within days; the rest runs out after 30 days; of what is not redeemed 10 of 100 wait.
_DAY = """
WITH active AS (
    SELECT *, sum(weight) OVER byid AS upto, row_number() OVER byid AS place FROM bench_pick
    WHERE %(day)s BETWEEN start_date AND end_date WINDOW byid AS (ORDER BY template_id)
), drawn AS MATERIALIZED (
    SELECT n, 1 + width_bucket(random() * (SELECT max(upto) FROM active)::float,
            (SELECT array_agg(upto::float ORDER BY place) FROM active)) AS place, random() AS fate,
        %(day)s::date::timestamp AT TIME ZONE 'Asia/Shanghai' + random() * interval '1 day' AS issued_at,
        -5 * ln(1 - random()) * interval '1 day' AS after, random() AS other, random() AS amount
    FROM generate_series(%(first)s, %(last)s) AS n
), given AS MATERIALIZED (
    SELECT n, fate, issued_at, after, other, amount, merchant_id, template_id, version_id, first_customer, first_shop,
        (%(day)s::date + 30)::timestamp AT TIME ZONE 'Asia/Shanghai' - interval '1 second' AS until
    FROM drawn JOIN active AS pick USING (place)
    WHERE issued_at < now()
), lived AS MATERIALIZED (
    SELECT given.*, CASE
        WHEN fate < 0.35 AND issued_at + after < least(now(), until) THEN 'redeemed'
        WHEN fate > 0.98 THEN 'revoked'
        WHEN until < now() THEN 'expired'
        ELSE 'issued' END AS fares
    FROM given
), coupon AS (
    INSERT INTO coupons_issuedcoupon (code, merchant_id, template_id, version_id, customer_id, status, delivery,
        valid_from, valid_until, source, issued_at, delivered_at, delivered_appid, delivered_openid, delivered_mobile,
        redeemed_at, redeemed_through, redeemed_shop_id, saved_fen, paid_fen, cost_fen, ended_at, flag)
    SELECT lpad((n::numeric * 7368787123456789 %% 10000000000000000)::text, 16, '0'),
        merchant_id, template_id, version_id, first_customer + (other * %(customers)s)::int,
        fares, CASE WHEN fares <> 'redeemed' AND amount < 0.1 THEN 'waiting' ELSE 'delivered' END,
        issued_at, until, 'push', issued_at, issued_at, 'wx', 'o', '',
        CASE WHEN fares = 'redeemed' THEN issued_at + after END,
        CASE WHEN fares = 'redeemed' THEN 'till' ELSE '' END,
        CASE WHEN fares = 'redeemed' AND other < 0.9 THEN first_shop + floor(amount * 5)::int END,
        CASE WHEN fares = 'redeemed' AND fate < 0.2 THEN 1000 END,
        CASE WHEN fares = 'redeemed' AND fate < 0.2 THEN 4000 + (amount * 20000)::int END,
        1000, CASE WHEN fares IN ('revoked', 'expired') THEN least(now(), until) END, ''
    FROM lived
    RETURNING id, merchant_id, template_id, status, delivery, issued_at, code
)
INSERT INTO integrations_outboxrow (kind, state, phase, priority, account_id, merchant_id, template_id, coupon_id,
    details, available_at, queued_at, held, lost_leases, tries, absences, resends, last_class, last_code, last_message,
    created_at, settled_at, blanked_at)
SELECT 'deliver', told.state, 'send', 5, %(account)s, merchant_id, template_id, id,
    '{}', issued_at, issued_at, false, 0, 0, 0, 0, '', '', '',
    issued_at, CASE WHEN told.state IN ('done', 'cancelled') THEN issued_at END,
    CASE WHEN told.state IN ('done', 'cancelled') AND issued_at < now() - interval '90 days' THEN now() END
FROM coupon, LATERAL (SELECT CASE
    WHEN delivery = 'waiting' AND status = 'issued' THEN 'waiting'
    WHEN delivery = 'waiting' THEN 'cancelled'
    WHEN issued_at > now() - interval '3 hours' AND right(code, 1) < '5' THEN 'queued'
    WHEN right(code, 4) = '0000' THEN 'dead'
    ELSE 'done' END AS state) AS told
"""
_GIVEN = """
UPDATE coupons_coupontemplate AS template SET issued_count = least(given.number, coalesce(stock, given.number)),
    committed_fen = least(given.number * 1000, coalesce(budget_fen, given.number * 1000))
FROM (SELECT template_id, sum(issued - revoked) AS number FROM coupons_dayfigures GROUP BY 1) AS given
WHERE given.template_id = template.id
"""


def fill(coupons: int, say: Callable[[str], None], *, customers_each: int = CUSTOMERS_EACH) -> None:
    """So many coupons over the last 400 days, more of them lately; then what a running portal does to its tables."""
    today = local_day(timezone.now())
    first = today - timedelta(days=DAYS - 1)
    account = DfireAccountFactory(name="bench")
    for number in range(MERCHANTS):
        merchant = MerchantFactory(name=f"商户{number:03}", merchant_id=f"bench-{number}", dfire_account=account)
        for shop in range(SHOPS_EACH):
            ShopFactory(merchant=merchant, name=f"{shop}号店")
    _run(_TEMPLATES, each=TEMPLATES_EACH, first=first, days=DAYS, today=today)
    _run(_VERSIONS)
    _run(_CUSTOMERS, each=customers_each)
    _run(_PICKS, each=TEMPLATES_EACH)
    _issue(coupons, first, account.pk, customers_each, say)
    _run(_GIVEN)
    _run("DROP TABLE bench_pick")
    _run("VACUUM ANALYZE")
    _staff()


# References are right by construction and are not checked again, which would take half of the time. Figures are kept.
_UNCHECKED = """
ALTER TABLE coupons_issuedcoupon ENABLE ALWAYS TRIGGER issuedcoupon_figures_inserted;
SET session_replication_role = replica
"""
_CHECKED = """
SET session_replication_role = origin;
ALTER TABLE coupons_issuedcoupon ENABLE TRIGGER issuedcoupon_figures_inserted
"""


def _issue(coupons: int, first: date, account: int, customers_each: int, say: Callable[[str], None]) -> None:
    number = 0
    _run(_UNCHECKED)
    for day in range(DAYS):
        upto = coupons * (day + 1) * (DAYS + day + 1) // (DAYS * 2 * DAYS)  # twice as many at the end
        _run(_DAY, day=first + timedelta(days=day), first=number + 1, last=upto, account=account,
             customers=customers_each - 1)  # fmt: skip
        number = upto
        if (day + 1) % _MERGE_EVERY_DAYS == 0:
            while figures.merge():
                pass
            _run("VACUUM ANALYZE coupons_dayfigures")
            say(f"{number:,} coupons until {first + timedelta(days=day)}")
    _run(_CHECKED)


def _staff() -> None:
    User.objects.create_superuser("root", "root@example.com", "x")
    user = User.objects.create_user("lili", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=["merchants", "coupons", "integrations"])
    )
    scope = MerchantScope.objects.create(user=user)
    scope.merchants.set(Merchant.objects.order_by("pk")[:SCOPED_MERCHANTS])


def _run(sql: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
