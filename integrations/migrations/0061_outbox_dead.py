"""An index on the failed rows, which are few among many, so that counting them costs nothing."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built while the table is in use
    dependencies = [("integrations", "0060_outbox_origin")]

    operations = [
        AddIndexConcurrently(
            model_name="outboxrow",
            index=models.Index(condition=models.Q(("state", "dead")), fields=["account"], name="outbox_dead"),
        ),
    ]
