"""A push whose answer waits for dfire: columns without a value, so nothing is rewritten."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("integrations", "0012_signatures_are_used_once")]

    operations = [
        migrations.AddField(
            model_name="pushanswer",
            name="confirming",
            field=models.ForeignKey(
                db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE,
                related_name="+", to="integrations.push",
            ),
        ),
        migrations.AddField(
            model_name="pushanswer",
            name="confirm_until",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="waits for dfire until"),
        ),
    ]
