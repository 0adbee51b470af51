import django.db.models.deletion
import merchants.secrets
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0002_history_is_append_only'),
        ('integrations', '0002_transfers'),
        ('merchants', '0002_customers_whole_mobile'),
    ]

    operations = [
        migrations.CreateModel(
            name='AlertTarget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('address', merchants.secrets.EncryptedTextField(verbose_name='address')),
                ('least_severity', models.PositiveSmallIntegerField(choices=[(1, 'warning'), (2, 'critical')], default=1, verbose_name='least severity')),
                ('active', models.BooleanField(default=True, verbose_name='active')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'alert target',
                'verbose_name_plural': 'alert targets',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('account_stopped', 'dfire account stopped'), ('queue_too_old', 'messages to dfire are late'), ('dead_letters', 'messages to dfire failed'), ('unmatched_callbacks', 'redemptions that fit no coupon'), ('drift', 'dfire and the portal disagree'), ('webhook_off', 'partner webhook switched off')], max_length=30, verbose_name='kind')),
                ('severity', models.PositiveSmallIntegerField(choices=[(1, 'warning'), (2, 'critical')], verbose_name='severity')),
                ('subject', models.CharField(editable=False, max_length=100)),
                ('figures', models.JSONField(default=dict, verbose_name='figures')),
                ('page', models.CharField(blank=True, default='', max_length=500, verbose_name='where to mend it')),
                ('opened_at', models.DateTimeField(verbose_name='since')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='over since')),
                ('times', models.PositiveIntegerField(default=1, help_text='How often it began: what comes back at once is the same incident.', verbose_name='times')),
            ],
            options={
                'verbose_name': 'incident',
                'verbose_name_plural': 'incidents',
                'ordering': [models.OrderBy(models.F('closed_at'), descending=True, nulls_first=True), '-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(choices=[('opened', 'it has begun'), ('closed', 'it is over')], max_length=10, verbose_name='event')),
                ('state', models.CharField(choices=[('queued', 'queued'), ('sent', 'sent'), ('failed', 'failed')], default='queued', max_length=10, verbose_name='state')),
                ('due_at', models.DateTimeField(verbose_name='not before')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                ('outcome', models.CharField(blank=True, default='', max_length=500, verbose_name='what came back')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='settled')),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'ordering': ['-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='accountstate',
            name='stop_clock_seconds',
            field=models.IntegerField(blank=True, help_text="Ours, compared with dfire's answer.", null=True, verbose_name='clock ahead by (seconds)'),
        ),
        migrations.AddField(
            model_name='accountstate',
            name='stop_method',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='refused call'),
        ),
        migrations.AddField(
            model_name='alerttarget',
            name='merchants',
            field=models.ManyToManyField(blank=True, help_text='None = what concerns any merchant, and what concerns none.', related_name='alert_targets', to='merchants.merchant', verbose_name='merchants'),
        ),
        migrations.AddField(
            model_name='incident',
            name='account',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='merchants.dfireaccount', verbose_name='dfire account'),
        ),
        migrations.AddField(
            model_name='incident',
            name='merchant',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='merchants.merchant', verbose_name='merchant'),
        ),
        migrations.AddField(
            model_name='notice',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='integrations.incident', verbose_name='incident'),
        ),
        migrations.AddField(
            model_name='notice',
            name='target',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='integrations.alerttarget', verbose_name='alert target'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['kind', 'subject', '-id'], name='incident_of_subject'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('kind', 'subject'), name='incident_one_open_of_a_subject'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['account_stopped', 'queue_too_old', 'dead_letters', 'unmatched_callbacks', 'drift', 'webhook_off'])), name='incident_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', [1, 2])), name='incident_severity_known'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('closed_at', None), ('closed_at__gte', models.F('opened_at')), _connector='OR'), name='incident_ends_after_it_began'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['due_at'], name='notice_due'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('incident', 'target', 'event'), name='notice_once'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('event__in', ['opened', 'closed'])), name='notice_event_known'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sent', 'failed'])), name='notice_state_known'),
        ),
    ]
