"""Indexes, checks and the merchants of what is there already, while callbacks go on coming in."""

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models

_BATCH = 5000
_FILL = """
UPDATE integrations_dfirecallback AS callback
SET merchant_id = coupon.merchant_id
FROM coupons_issuedcoupon AS coupon
WHERE coupon.id = callback.coupon_id AND callback.merchant_id IS NULL AND callback.id > %s AND callback.id <= %s
"""


def fill_merchants(apps, schema_editor):
    """In batches, each committed by itself. What is open gets its merchant at its next try."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM integrations_dfirecallback")
        [last] = cursor.fetchone()
        for start in range(0, last, _BATCH):
            cursor.execute(_FILL, [start, start + _BATCH])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0009_inbox_decisions"), ("coupons", "0001_initial")]

    operations = [
        ValidateConstraint("dfirecallback", "callback_state_known"),
        migrations.RunSQL(
            "ALTER TABLE integrations_dfirecallback VALIDATE CONSTRAINT integrations_dfirecallback_merchant_fk",
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(fill_merchants, migrations.RunPython.noop),
        AddIndexConcurrently(
            "dfirecallback",
            models.Index(
                fields=["id"],
                condition=models.Q(state__in=("unknown_coupon", "other_account", "review")),
                name="callback_unsettled",
            ),
        ),
        AddIndexConcurrently("dfirecallback", models.Index(fields=["merchant", "-id"], name="callback_of_merchant")),
        RemoveIndexConcurrently("dfirecallback", "callback_open"),
    ]
