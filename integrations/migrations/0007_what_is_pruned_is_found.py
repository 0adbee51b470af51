"""Indexes by which pruning and erasing find their rows, built while the portal works."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('integrations', '0006_contents_can_be_removed'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='dfirecallback',
            index=models.Index(condition=models.Q(('blanked_at', None), ('settled_at__isnull', False)), fields=['settled_at', 'id'], name='callback_to_blank'),
        ),
        AddIndexConcurrently(
            model_name='dfirecallback',
            index=models.Index(condition=models.Q(('blanked_at', None), ('coupon', None)), fields=['id'], name='callback_of_no_coupon'),
        ),
        AddIndexConcurrently(
            model_name='outboxattempt',
            index=models.Index(condition=models.Q(('blanked_at', None)), fields=['started_at', 'id'], name='attempt_to_blank'),
        ),
        AddIndexConcurrently(
            model_name='outboxrow',
            index=models.Index(condition=models.Q(('blanked_at', None), ('coupon__isnull', False), ('state__in', ('done', 'cancelled'))), fields=['settled_at', 'id'], name='outbox_to_blank'),
        ),
        AddIndexConcurrently(
            model_name='push',
            index=models.Index(condition=models.Q(('blanked_at', None)), fields=['received_at', 'id'], name='push_to_blank'),
        ),
        AddIndexConcurrently(
            model_name='push',
            index=models.Index(condition=models.Q(('blanked_at', None), ('coupon', None)), fields=['id'], name='push_of_no_coupon'),
        ),
    ]
