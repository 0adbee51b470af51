"""Redeemed coupons that a platform pushed are found in the order of their ids. Built while the portal works."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("coupons", "0008_figures_filled")]

    operations = [
        AddIndexConcurrently(
            "issuedcoupon",
            models.Index(
                fields=["source_account", "id"],
                condition=models.Q(source_account__isnull=False, status="redeemed"),
                name="coupon_pushed_redeemed",
            ),
        ),
    ]
