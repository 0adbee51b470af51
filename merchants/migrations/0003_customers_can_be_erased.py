"""Erasures, and the mark of an erased customer. The check holds for new rows at once; old ones are looked at in 0011."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import django.db.models.deletion
import merchants.secrets
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('merchants', '0002_customers_whole_mobile'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='asked for')),
                ('asked_by', models.CharField(help_text='staff:name or command:name.', max_length=160, verbose_name='by')),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('name_hashes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), editable=False, size=None)),
                ('names', merchants.secrets.EncryptedTextField(blank=True, default='', editable=False)),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
            ],
            options={
                'verbose_name': 'erasure of a customer',
                'verbose_name_plural': 'erasures of customers',
                'ordering': ['-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.AlterModelOptions(
            name='customer',
            options={'ordering': ['-id'], 'permissions': [('view_full_mobile', 'Can see whole mobile numbers'), ('erase_customer', 'Can erase customers')], 'verbose_name': 'customer', 'verbose_name_plural': 'customers'},
        ),
        migrations.AddField(
            model_name='customer',
            name='erased_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='erased'),
        ),
        migrations.AddField(
            model_name='erasure',
            name='customer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='erasure', to='merchants.customer', verbose_name='customer'),
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=models.Index(condition=models.Q(('finished_at', None)), fields=['id'], name='erasure_unfinished'),
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=django.contrib.postgres.indexes.GinIndex(fields=['name_hashes'], name='erasure_by_name'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=models.CheckConstraint(condition=models.Q(('finished_at', None), ('names', ''), _connector='OR'), name='erasure_forgets_the_names'),
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name='customer',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at', None), models.Q(('identifier__startswith', 'erased:'), ('mobile', ''), ('openid', '')), _connector='OR'), name='customer_erased_has_no_name'),
        ),
    ]
