"""The SQL that keeps `DayFigures` and `RolledFigures` true, and the merging of rows.

The triggers of migrations 0007 and 0010 are made from `contributions` and `rolled` too, so what counts as what is said
once.
"""

from django.db import connection, transaction

from coupons.models.figures import COHORT, REDEMPTION, SUMMED

MOST_AT_ONCE = 20_000  # differences merged in one transaction

_DAY = "({} AT TIME ZONE 'Asia/Shanghai')::date"
_COUNTED = {
    "issued": "1",
    "delivered": "(delivery = 'delivered')::int",
    "used": "(status = 'redeemed')::int",
    "revoked": "(status = 'revoked')::int",
    "expired": "(status = 'expired')::int",
    "redeemed": "1",
    "saved_fen": "coalesce(saved_fen, 0)",
    "saved_known": "(saved_fen IS NOT NULL)::int",
    "paid_fen": "coalesce(paid_fen, 0)",
    "paid_known": "(paid_fen IS NOT NULL)::int",
    "spent_fen": "coalesce(saved_fen, cost_fen, 0)",
}
_KEY = "merchant_id, template_id, shop_id, day"
_ALL = ", ".join(SUMMED)
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in SUMMED)
_ANY = " OR ".join(f"sum({name}) <> 0" for name in SUMMED)
_LOCK = 0x66696775  # one merges at a time


def contributions(rows: str, sign: str = "") -> str:
    """SQL: what each coupon of a table adds to the figures, or takes from them with the sign "-".

    A coupon counts on the day of its issue, whatever became of it, and once it is redeemed also on that day, with its
    shop.
    """

    def columns(own: tuple[str, ...]) -> str:
        return ", ".join(f"{sign}{_COUNTED[name]} AS {name}" if name in own else f"0 AS {name}" for name in SUMMED)

    return f"""
SELECT merchant_id, template_id, NULL::bigint AS shop_id, {_DAY.format("issued_at")} AS day, {columns(COHORT)}
FROM {rows}
UNION ALL
SELECT merchant_id, template_id, redeemed_shop_id, {_DAY.format("redeemed_at")}, {columns(REDEMPTION)}
FROM {rows} WHERE status = 'redeemed'"""  # nosec B608 # names of ours


def addition(source: str) -> str:
    """SQL: write the differences that a query of contributions sums up to."""
    return f"""
INSERT INTO coupons_dayfigures ({_KEY}, merged, {_ALL})
SELECT {_KEY}, false, {_SUMS} FROM ({source}) AS change GROUP BY {_KEY} HAVING {_ANY}"""  # nosec B608 # names of ours, values are parameters


# What the coupons say less what the figures say, in one snapshot: adding it makes them agree, whoever writes meanwhile.
_SAID = f"SELECT {_KEY}, {', '.join(f'-{name} AS {name}' for name in SUMMED)} FROM coupons_dayfigures"  # nosec B608 # names of ours, values are parameters
FILL = addition(f"{contributions('coupons_issuedcoupon')} UNION ALL {_SAID}")

_ROLLED_KEY = "merchant_id, template_id, day"
_ADDED = ", ".join(f"{name} = coupons_rolledfigures.{name} + EXCLUDED.{name}" for name in SUMMED)


def rolled(rows: str, sign: str = "") -> str:
    """SQL: what the merged ones of a table's figures add to the rolled ones, or take from them with the sign "-"."""
    columns = ", ".join(f"{sign}{name} AS {name}" for name in SUMMED)
    return f"""
SELECT merchant_id, NULL::bigint AS template_id, day, {columns} FROM {rows} WHERE merged
UNION ALL
SELECT merchant_id, template_id, date_trunc('week', day)::date, {columns} FROM {rows} WHERE merged"""  # nosec B608 # names of ours, values are parameters


def rolling(source: str) -> str:
    """SQL: add to the rolled figures what a query of `rolled` sums up to."""
    return f"""
INSERT INTO coupons_rolledfigures ({_ROLLED_KEY}, {_ALL})
SELECT {_ROLLED_KEY}, {_SUMS} FROM ({source}) AS change GROUP BY {_ROLLED_KEY} HAVING {_ANY} ORDER BY {_ROLLED_KEY}
ON CONFLICT ({_ROLLED_KEY}) DO UPDATE SET {_ADDED}"""  # nosec B608 # names of ours, values are parameters


_ROLLED_SAID = f"SELECT {_ROLLED_KEY}, {', '.join(f'-{name} AS {name}' for name in SUMMED)} FROM coupons_rolledfigures"  # nosec B608 # names of ours, values are parameters
FILL_ROLLED = rolling(f"{rolled('coupons_dayfigures')} UNION ALL {_ROLLED_SAID}")

_MERGE = f"""
WITH fresh AS (
    SELECT DISTINCT merchant_id, template_id, shop_id, day FROM (
        SELECT * FROM coupons_dayfigures WHERE NOT merged ORDER BY id LIMIT {MOST_AT_ONCE}
    ) AS part
), taken AS (
    DELETE FROM coupons_dayfigures AS figures USING fresh
    WHERE figures.merchant_id = fresh.merchant_id AND figures.template_id = fresh.template_id
        AND figures.day = fresh.day AND figures.shop_id IS NOT DISTINCT FROM fresh.shop_id
    RETURNING figures.*
)
INSERT INTO coupons_dayfigures ({_KEY}, merged, {_ALL})
SELECT {_KEY}, true, {_SUMS} FROM taken GROUP BY {_KEY} HAVING {_ANY}"""  # nosec B608 # names of ours, values are parameters


@transaction.atomic
def merge() -> bool:
    """Put the rows of each key together that has new ones; sums stay what they are.

    Returns:
        Whether there may be more to merge.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM coupons_dayfigures WHERE NOT merged LIMIT %s) AS part",
                       [MOST_AT_ONCE + 1])  # fmt: skip
        fresh = cursor.fetchone()[0]
        if fresh:
            cursor.execute(_MERGE)
    return bool(fresh > MOST_AT_ONCE)


@transaction.atomic
def check() -> int:
    """Make the figures agree with the coupons. They always do, unless triggers were switched off (a restore by hand).

    Returns:
        How many keys differed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])  # two at once would add a difference twice
        cursor.execute(FILL)
        differed = int(cursor.rowcount)
        cursor.execute(FILL_ROLLED)
        return differed + int(cursor.rowcount)
