"""Which request or task wrote a row. The default is the database's, so that no row is rewritten."""

from django.db import migrations, models


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
    ]
