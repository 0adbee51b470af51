"""Indexes that pages need, and the figures of what is there already, while coupons go on being issued."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from coupons.figures import FILL


def fill(apps, schema_editor):
    """One statement, one snapshot: what the triggers have counted by then is left out, what they count later adds up."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("coupons", "0007_figures_are_kept"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='issuedcoupon',
            index=models.Index(condition=models.Q(('delivery', 'waiting'), ('status', 'issued')), fields=['valid_until'], name='coupon_waiting_to_expire'),
        ),
        AddIndexConcurrently(
            model_name='issuedcoupon',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch', 'id'], name='coupon_of_batch'),
        ),
        AddIndexConcurrently(
            model_name='issuedcoupon',
            index=models.Index(condition=models.Q(('redeemed_at__isnull', False)), fields=['merchant', '-redeemed_at'], name='coupon_redeemed_at'),
        ),
        AddIndexConcurrently(
            model_name='issuedcoupon',
            index=models.Index(fields=['merchant', '-issued_at'], name='coupon_issued_at'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
