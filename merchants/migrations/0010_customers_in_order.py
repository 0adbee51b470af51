"""A merchant's customers are found in the order of their list, by an index in place of the merchant's alone."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_ALONE = "merchants_customer_merchant_id_2b2459f4"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("merchants", "0009_secrets_at_rest")]

    operations = [
        AddIndexConcurrently("customer", models.Index(fields=["merchant", "-id"], name="customer_of_merchant")),
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {_ALONE}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_ALONE} ON merchants_customer (merchant_id)",
                )
            ],
            [
                migrations.AlterField(
                    "customer",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="merchants.merchant",
                        verbose_name="merchant",
                    ),
                )
            ],
        ),
    ]
