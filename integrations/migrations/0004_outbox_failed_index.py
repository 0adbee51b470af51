"""Built beside the writers: the outbox may be big, and nobody waits for it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('integrations', '0003_alerts'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='outboxrow',
            index=models.Index(condition=models.Q(('state', 'dead')), fields=['merchant'], name='outbox_failed'),
        ),
    ]
