"""Which request or task wrote a row, and since when it is queued: both without rewriting the table."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("integrations", "0004_outbox_failed_index")]

    operations = [
        migrations.AddField(
            model_name="outboxrow",
            name="origin",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The id in the logs of what wrote this row.",
                max_length=64,
                verbose_name="request or task",
            ),
        ),
        migrations.AddField(
            model_name="outboxrow",
            name="queued_at",
            field=models.DateTimeField(db_default=Now(), editable=False, verbose_name="queued"),
        ),
    ]
