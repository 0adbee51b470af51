"""Batches, budgets, replacements of redeemed coupons, and figures by day."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0005_drafts_without_worth'),
        ('merchants', '0004_erased_customers_checked'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('issue', 'issue to many'), ('recall', 'recall')], default='issue', max_length=10, verbose_name='kind')),
                ('state', models.CharField(choices=[('checking', 'being checked'), ('ready', 'waiting for your yes'), ('running', 'under way'), ('paused', 'paused'), ('done', 'complete'), ('cancelled', 'cancelled')], default='checking', max_length=10, verbose_name='state')),
                ('name', models.CharField(blank=True, default='', max_length=200, verbose_name='name')),
                ('reason', models.CharField(blank=True, default='', max_length=200, verbose_name='reason')),
                ('valid_until', models.DateTimeField(blank=True, null=True, verbose_name='valid until')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='to do')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('refused', models.PositiveIntegerField(default=0, verbose_name='refused')),
                ('bad', models.PositiveIntegerField(default=0, verbose_name='bad rows')),
                ('position', models.BigIntegerField(default=0, editable=False)),
                ('problem', models.CharField(blank=True, default='', max_length=300, verbose_name='what is the matter')),
                ('summary', models.JSONField(blank=True, default=dict, editable=False, verbose_name='what the check found')),
            ],
            options={
                'verbose_name': 'batch',
                'verbose_name_plural': 'batches',
                'ordering': ['-id'],
                'permissions': [('issue_batch', 'Can issue to many'), ('recall_batch', 'Can recall batches')],
            },
        ),
        migrations.CreateModel(
            name='BatchRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='row')),
                ('text', models.CharField(blank=True, default='', max_length=128, verbose_name='customer as typed')),
                ('problem', models.CharField(blank=True, default='', max_length=40, verbose_name='reason')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'row of a batch',
                'verbose_name_plural': 'rows of batches',
                'ordering': ['batch', 'number'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='DayFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('merged', models.BooleanField(default=False)),
                ('issued', models.BigIntegerField(default=0)),
                ('delivered', models.BigIntegerField(default=0)),
                ('used', models.BigIntegerField(default=0)),
                ('revoked', models.BigIntegerField(default=0)),
                ('expired', models.BigIntegerField(default=0)),
                ('redeemed', models.BigIntegerField(default=0)),
                ('saved_fen', models.BigIntegerField(default=0)),
                ('saved_known', models.BigIntegerField(default=0)),
                ('paid_fen', models.BigIntegerField(default=0)),
                ('paid_known', models.BigIntegerField(default=0)),
                ('spent_fen', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'figures of a day',
                'verbose_name_plural': 'figures of days',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Reissue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='time')),
            ],
            options={
                'verbose_name': 'replacement',
                'verbose_name_plural': 'replacements',
                'ordering': ['-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.AlterModelOptions(
            name='issuedcoupon',
            options={'ordering': ['-id'], 'permissions': [('issue_issuedcoupon', 'Can issue coupons'), ('revoke_issuedcoupon', 'Can revoke coupons'), ('transfer_issuedcoupon', 'Can transfer coupons'), ('reissue_issuedcoupon', 'Can replace redeemed coupons')], 'verbose_name': 'issued coupon', 'verbose_name_plural': 'issued coupons'},
        ),
        migrations.AddField(
            model_name='coupontemplate',
            name='budget_fen',
            field=models.PositiveBigIntegerField(blank=True, help_text='Issuing stops when it is reached. Empty = no limit.', null=True, verbose_name='budget (fen)'),
        ),
        migrations.AddField(
            model_name='coupontemplate',
            name='committed_fen',
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False, help_text='What the coupons cost that are out or have been redeemed.', verbose_name='committed (fen)'),
        ),
        migrations.AddField(
            model_name='coupontemplate',
            name='cost_each_fen',
            field=models.PositiveIntegerField(blank=True, help_text='What one coupon counts in the budget where its kind does not say it, as with a discount.', null=True, verbose_name='cost of one (fen)'),
        ),
        migrations.AddField(
            model_name='issuedcoupon',
            name='cost_fen',
            field=models.BigIntegerField(blank=True, null=True, verbose_name='cost (fen)'),
        ),
        migrations.AddField(
            model_name='issuedcoupon',
            name='paid_fen',
            field=models.BigIntegerField(blank=True, null=True, verbose_name='paid (fen)'),
        ),
        migrations.AddField(
            model_name='issuedcoupon',
            name='saved_fen',
            field=models.BigIntegerField(blank=True, null=True, verbose_name='saved (fen)'),
        ),
        migrations.AlterField(
            model_name='couponevent',
            name='kind',
            field=models.CharField(choices=[('issued', 'issued'), ('queued', 'queued for delivery'), ('waiting', "waiting for the customer's binding"), ('delivered', 'delivered to dfire'), ('delivery_failed', 'delivery failed'), ('transferred', 'given to another customer'), ('transfer_failed', 'back with the giver'), ('redeemed', 'redeemed'), ('revoked', 'revoked'), ('withdrawn', 'withdrawn at dfire'), ('withdrawal_failed', 'withdrawal at dfire failed'), ('expired', 'expired'), ('flagged', 'flagged for staff'), ('reconciled', 'repair begun after a comparison with dfire'), ('reissued', 'replaced by another coupon')], max_length=20, verbose_name='what happened'),
        ),
        migrations.AddConstraint(
            model_name='coupontemplate',
            constraint=models.CheckConstraint(condition=models.Q(('budget_fen', None), ('committed_fen__lte', models.F('budget_fen')), _connector='OR'), name='template_budget_not_exceeded'),
        ),
        migrations.AddField(
            model_name='batch',
            name='created_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='batch',
            name='merchant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant', verbose_name='merchant'),
        ),
        migrations.AddField(
            model_name='batch',
            name='recalls',
            field=models.ForeignKey(blank=True, help_text='None = everything of the template that is out.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='recalls_of_it', to='coupons.batch', verbose_name='recalls the batch'),
        ),
        migrations.AddField(
            model_name='batch',
            name='template',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='coupons.coupontemplate', verbose_name='template'),
        ),
        migrations.AddField(
            model_name='issuedcoupon',
            name='batch',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='coupons', to='coupons.batch', verbose_name='batch'),
        ),
        migrations.AddField(
            model_name='batchrow',
            name='batch',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='coupons.batch'),
        ),
        migrations.AddField(
            model_name='batchrow',
            name='customer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='dayfigures',
            name='merchant',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.merchant'),
        ),
        migrations.AddField(
            model_name='dayfigures',
            name='shop',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.shop'),
        ),
        migrations.AddField(
            model_name='dayfigures',
            name='template',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coupons.coupontemplate'),
        ),
        migrations.AddField(
            model_name='reissue',
            name='original',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='coupons.issuedcoupon', verbose_name='redeemed coupon'),
        ),
        migrations.AddField(
            model_name='reissue',
            name='replacement',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='replaces', to='coupons.issuedcoupon', verbose_name='replacement'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['merchant', '-id'], name='batch_of_merchant'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(condition=models.Q(('state__in', ['checking', 'running'])), fields=['id'], name='batch_at_work'),
        ),
        migrations.AddConstraint(
            model_name='batch',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['issue', 'recall'])), name='batch_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='batch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['checking', 'ready', 'running', 'paused', 'done', 'cancelled'])), name='batch_state_known'),
        ),
        migrations.AddIndex(
            model_name='batchrow',
            index=models.Index(condition=models.Q(('problem', ''), _negated=True), fields=['batch', 'number'], name='batch_row_turned_down'),
        ),
        migrations.AddConstraint(
            model_name='batchrow',
            constraint=models.UniqueConstraint(fields=('batch', 'number'), name='batch_row_numbered_once'),
        ),
        migrations.AddIndex(
            model_name='dayfigures',
            index=models.Index(fields=['merchant', 'day'], name='figures_of_merchant'),
        ),
        migrations.AddIndex(
            model_name='dayfigures',
            index=models.Index(fields=['template', 'day'], name='figures_of_template'),
        ),
        migrations.AddIndex(
            model_name='dayfigures',
            index=models.Index(condition=models.Q(('merged', False)), fields=['id'], name='figures_to_merge'),
        ),
    ]
