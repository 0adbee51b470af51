"""What waits in the outbox is counted for the first page by an index of its own. Built while the portal works."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0024_unknown_codes")]

    operations = [
        AddIndexConcurrently(
            "outboxrow",
            models.Index(fields=["merchant"], condition=models.Q(state="waiting"), name="outbox_waiting"),
        ),
    ]
