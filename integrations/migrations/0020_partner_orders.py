"""Orders on which partners redeem, and callbacks that wait until such a redemption is settled."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0012_redeeming_events'),
        ('integrations', '0019_keys_and_calls'),
        ('merchants', '0005_push_tokens_change_over'),
    ]

    operations = [
        migrations.CreateModel(
            name='PartnerOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor', models.CharField(max_length=150, verbose_name='by')),
                ('order_id', models.CharField(max_length=64, verbose_name='order ID')),
                ('order_date', models.DateField(verbose_name='order date')),
                ('paid_fen', models.BigIntegerField(verbose_name='paid (fen)')),
                ('saved_fen', models.BigIntegerField(verbose_name='saved (fen)')),
                ('state', models.CharField(choices=[('open', 'being redeemed'), ('redeemed', 'redeemed'), ('lost', 'a till was first'), ('refused', 'refused by dfire'), ('undone', 'not redeemed, staff decided')], default='open', max_length=10, verbose_name='state')),
                ('inferred', models.BooleanField(default=False, help_text="Concluded from dfire's list.", verbose_name='inferred')),
                ('code', models.CharField(blank=True, default='', max_length=50, verbose_name="dfire's code")),
                ('message', models.CharField(blank=True, default='', max_length=500, verbose_name="dfire's words")),
                ('decided_by', models.CharField(blank=True, default='', max_length=160, verbose_name='decided by')),
                ('began_at', models.DateTimeField(verbose_name='begun')),
                ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='settled')),
            ],
            options={
                'verbose_name': "partner's order",
                'verbose_name_plural': "partners' orders",
                'ordering': ['-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.RemoveConstraint(
            model_name='dfirecallback',
            name='callback_state_known',
        ),
        migrations.AlterField(
            model_name='dfirecallback',
            name='state',
            field=models.CharField(choices=[('applied', 'redeemed'), ('repeated', 'redeemed before'), ('unknown_coupon', 'no coupon has this code'), ('other_account', "the coupon's merchant uses another account"), ('review', 'redeemed, to be looked at'), ('settled', 'settled by hand'), ('waits', "waits for a partner's redemption of the coupon")], max_length=20, verbose_name='state'),
        ),
        AddConstraintNotValid(
            model_name='dfirecallback',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['applied', 'repeated', 'unknown_coupon', 'other_account', 'review', 'settled', 'waits'])), name='callback_state_known'),
        ),
        migrations.AddField(
            model_name='partnerorder',
            name='app',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.partnerapp', verbose_name='partner app'),
        ),
        migrations.AddField(
            model_name='partnerorder',
            name='coupon',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='coupons.issuedcoupon', verbose_name='coupon'),
        ),
        migrations.AddField(
            model_name='partnerorder',
            name='merchant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant', verbose_name='merchant'),
        ),
        migrations.AddField(
            model_name='partnerorder',
            name='row',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='orders', to='integrations.outboxrow', verbose_name='outbox row'),
        ),
        migrations.AddField(
            model_name='partnerorder',
            name='shop',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='merchants.shop', verbose_name='shop'),
        ),
        migrations.AddIndex(
            model_name='partnerorder',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['began_at'], name='order_open'),
        ),
        migrations.AddIndex(
            model_name='partnerorder',
            index=models.Index(fields=['merchant', '-id'], name='order_of_merchant'),
        ),
        migrations.AddConstraint(
            model_name='partnerorder',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'redeemed', 'lost', 'refused', 'undone'])), name='order_state_known'),
        ),
        migrations.AddConstraint(
            model_name='partnerorder',
            constraint=models.UniqueConstraint(fields=('app', 'coupon', 'order_id'), name='order_once_for_a_coupon'),
        ),
        migrations.AddConstraint(
            model_name='partnerorder',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('open', 'redeemed'))), fields=('coupon',), name='order_one_holds_the_coupon'),
        ),
    ]
