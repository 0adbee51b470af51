"""Customer files: what was sent, its parts until it is checked, its rows until they are entered.

Decisions about files go into the audit trail."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import merchants.secrets
from merchants.audit.triggers import Rows, backward, forward

WATCHED = (
    Rows(
        "merchants_customerfile", "merchants.customerfile",
        "CASE r.name WHEN '' THEN '#' || r.id ELSE merchants_audit_masked(r.name) END",
        "merchant_id name state adds_unknown", merchant="r.merchant_id",
    ),
)  # fmt: skip


class Migration(migrations.Migration):

    dependencies = [
        ('merchants', '0010_customers_in_order'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CustomerFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(blank=True, default='', max_length=200, verbose_name='name')),
                ('state', models.CharField(choices=[('checking', 'being checked'), ('ready', 'waits for your yes'), ('running', 'being entered'), ('stopped', 'broken off'), ('unreadable', 'cannot be read'), ('done', 'done'), ('cancelled', 'cancelled')], default='checking', max_length=10, verbose_name='state')),
                ('adds_unknown', models.BooleanField(default=True, verbose_name='enters new customers')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('size', models.PositiveBigIntegerField(default=0, verbose_name='bytes')),
                ('position', models.PositiveIntegerField(default=0, editable=False)),
                ('new', models.PositiveIntegerField(default=0, verbose_name='new customers')),
                ('change', models.PositiveIntegerField(default=0, verbose_name='to be changed')),
                ('equal', models.PositiveIntegerField(default=0, verbose_name='the same already')),
                ('bad', models.PositiveIntegerField(default=0, verbose_name='not done')),
                ('waiting', models.PositiveIntegerField(default=0, verbose_name='coupons that wait')),
                ('created', models.PositiveIntegerField(default=0, verbose_name='entered')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='changed')),
                ('same', models.PositiveIntegerField(default=0, verbose_name='unchanged meanwhile')),
                ('refused', models.PositiveIntegerField(default=0, verbose_name='not done after all')),
                ('released', models.PositiveIntegerField(default=0, verbose_name='deliveries released')),
                ('problem', models.CharField(blank=True, default='', max_length=300, verbose_name='what is the matter')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('merchant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant', verbose_name='merchant')),
            ],
            options={
                'verbose_name': 'customer file',
                'verbose_name_plural': 'customer files',
                'ordering': ['-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='CustomerFilePart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('content', merchants.secrets.EncryptedTextField(editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('file', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='merchants.customerfile')),
            ],
            options={
                'verbose_name': 'part of a customer file',
                'verbose_name_plural': 'parts of customer files',
                'ordering': ['file', 'number'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='CustomerFileRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='row')),
                ('identifier', models.CharField(blank=True, default='', max_length=1000, verbose_name='identifier')),
                ('mobile', models.CharField(blank=True, default='', max_length=1000, verbose_name='mobile')),
                ('openid', models.CharField(blank=True, default='', max_length=1000, verbose_name='openid')),
                ('verdict', models.CharField(choices=[('new', 'new customer'), ('change', 'to be changed'), ('equal', 'the same already'), ('bad', 'not done')], max_length=6, verbose_name='what it comes to')),
                ('why', models.CharField(blank=True, choices=[('nobody', 'Nobody is named: enter the identifier or the mobile number.'), ('nothing', 'Neither a mobile number nor an openid stands in this row.'), ('bad_mobile', 'This is no mobile number: 11 digits that start with 1.'), ('bad_openid', 'This is no openid: letters, digits and signs without blanks, 128 at most.'), ('too_long', 'The identifier is longer than 128 characters.'), ('not_readable', 'It has characters that cannot be shown.'), ('several', 'Several customers have this mobile number; name one by identifier.'), ('unknown', 'No customer has this identifier or mobile number.'), ('erased', 'This customer was erased. Whoever comes back is entered by hand.'), ('openid_taken', 'Another customer of this merchant has this openid.'), ('openid_twice', 'Row %(row)s gives the same openid to another customer.'), ('twice', 'Row %(row)s says something else about the same customer.')], default='', max_length=12, verbose_name='reason')),
                ('other', models.PositiveIntegerField(blank=True, null=True, verbose_name='other row')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('customer', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.customer', verbose_name='customer')),
                ('file', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='merchants.customerfile')),
            ],
            options={
                'verbose_name': 'row of a customer file',
                'verbose_name_plural': 'rows of customer files',
                'ordering': ['file', 'number'],
                'default_permissions': ('view',),
            },
        ),
        migrations.AddIndex(
            model_name='customerfile',
            index=models.Index(fields=['merchant', '-id'], name='customer_file_of_merchant'),
        ),
        migrations.AddIndex(
            model_name='customerfile',
            index=models.Index(condition=models.Q(('state__in', ('checking', 'running'))), fields=['id'], name='customer_file_at_work'),
        ),
        migrations.AddConstraint(
            model_name='customerfile',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['checking', 'ready', 'running', 'stopped', 'unreadable', 'done', 'cancelled'])), name='customer_file_state_known'),
        ),
        migrations.AddConstraint(
            model_name='customerfilepart',
            constraint=models.UniqueConstraint(fields=('file', 'number'), name='customer_file_part_numbered_once'),
        ),
        migrations.AddIndex(
            model_name='customerfilerow',
            index=models.Index(condition=models.Q(('verdict', 'bad')), fields=['file', 'number'], name='customer_file_row_bad'),
        ),
        migrations.AddConstraint(
            model_name='customerfilerow',
            constraint=models.UniqueConstraint(fields=('file', 'number'), name='customer_file_row_numbered_once'),
        ),
        migrations.RunSQL(forward(WATCHED), backward(WATCHED)),
    ]
