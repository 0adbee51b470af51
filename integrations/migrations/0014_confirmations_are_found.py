"""Unfinished confirmations, and what was told of a template, are found. Built while the portal works."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0013_pushes_are_confirmed")]

    operations = [
        AddIndexConcurrently(
            "pushanswer",
            models.Index(
                fields=["confirm_until"],
                condition=models.Q(confirm_until__isnull=False),
                name="push_answer_unconfirmed",
            ),
        ),
        AddIndexConcurrently(
            "outboxrow",
            models.Index(fields=["template", "id"], condition=models.Q(coupon=None), name="outbox_of_template"),
        ),
    ]
