"""Fewer and fuller indexes: each coupon that is issued pays for every one of them (docs/scaling.md).

Codes are compared whole or by their range, never by LIKE. Nobody looks for coupons that nobody pushed or redeemed. New
coupons of a merchant come at the end of an ascending index, which leaves its pages full.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_NAMES = (
    "coupons_issuedcoupon_code_787717b3_like",
    "coupons_issuedcoupon_source_account_id_73fffe80",
    "coupons_issuedcoupon_redeemed_shop_id_7041610d",
)
_COLUMNS = ("code varchar_pattern_ops", "source_account_id", "redeemed_shop_id")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("coupons", "0016_lists_stay_flat")]
    operations = [
        AddIndexConcurrently("issuedcoupon", models.Index(fields=["merchant", "id"], name="coupon_by_merchant")),
        AddIndexConcurrently(
            "issuedcoupon",
            models.Index(
                fields=["source_account"],
                condition=models.Q(source_account__isnull=False),
                name="coupon_pushed_by",
            ),
        ),
        AddIndexConcurrently(
            "issuedcoupon",
            models.Index(
                fields=["redeemed_shop"],
                condition=models.Q(redeemed_shop__isnull=False),
                name="coupon_redeemed_in",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            # The unique constraint stays as it was made; only its name is told to Django.
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON coupons_issuedcoupon ({column})",
                )
                for name, column in zip(_NAMES, _COLUMNS, strict=True)
            ],
            state_operations=[
                migrations.AlterField("issuedcoupon", "code", models.CharField("code", max_length=16)),
                migrations.AddConstraint(
                    "issuedcoupon", models.UniqueConstraint(fields=["code"], name="coupons_issuedcoupon_code_key")
                ),
                migrations.AlterField(
                    "issuedcoupon",
                    "source_account",
                    models.ForeignKey(
                        to="merchants.smartcouponaccount",
                        on_delete=models.PROTECT,
                        verbose_name="pushed by",
                        null=True,
                        blank=True,
                        related_name="+",
                        db_index=False,
                    ),
                ),
                migrations.AlterField(
                    "issuedcoupon",
                    "redeemed_shop",
                    models.ForeignKey(
                        to="merchants.shop",
                        on_delete=models.SET_NULL,
                        verbose_name="redeemed at",
                        null=True,
                        blank=True,
                        related_name="+",
                        db_index=False,
                    ),
                ),
            ],
        ),
        RemoveIndexConcurrently("issuedcoupon", "coupon_of_merchant"),
    ]
