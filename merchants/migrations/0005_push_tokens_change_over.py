"""The push token before the present one. There are few accounts, so the unique column's index takes a moment."""

import merchants.secrets
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("merchants", "0004_erased_customers_checked")]

    operations = [
        migrations.AddField(
            model_name="smartcouponaccount",
            name="previous_token",
            field=merchants.secrets.EncryptedTextField(
                blank=True, db_default="", default="", editable=False, verbose_name="previous token"
            ),
        ),
        migrations.AddField(
            model_name="smartcouponaccount",
            name="previous_token_hash",
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="smartcouponaccount",
            name="previous_until",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="previous token good until"
            ),
        ),
        migrations.AddField(
            model_name="smartcouponaccount",
            name="previous_used_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="previous token last used"
            ),
        ),
    ]
