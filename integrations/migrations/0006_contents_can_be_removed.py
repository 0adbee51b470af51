"""When a row's contents were removed. Empty columns: nothing is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0005_outbox_origin'),
    ]

    operations = [
        migrations.AddField(
            model_name='dfirecallback',
            name='blanked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='contents removed'),
        ),
        migrations.AddField(
            model_name='outboxattempt',
            name='blanked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='contents removed'),
        ),
        migrations.AddField(
            model_name='outboxrow',
            name='blanked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='contents removed'),
        ),
        migrations.AddField(
            model_name='push',
            name='blanked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='contents removed'),
        ),
    ]
