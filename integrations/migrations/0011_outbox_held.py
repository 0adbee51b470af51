"""Deliveries that wait for their template leave the index that workers look through. Built while workers go on."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0010_inbox_online")]

    operations = [
        AddIndexConcurrently(
            "outboxrow",
            models.Index(
                fields=["merchant", "priority", "id"],
                condition=models.Q(state="queued", held=False),
                name="outbox_ready",
            ),
        ),
        AddIndexConcurrently(
            "outboxrow",
            models.Index(fields=["template", "id"], condition=models.Q(state="queued", held=True), name="outbox_held"),
        ),
        RemoveIndexConcurrently("outboxrow", "outbox_queue"),
    ]
