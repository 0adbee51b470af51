"""An index on the few events that tell of transfers, built while the portal works."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('coupons', '0003_transfers'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='couponevent',
            index=models.Index(condition=models.Q(('kind__in', ('transferred', 'transfer_failed'))), fields=['id'], name='event_of_transfer'),
        ),
    ]
