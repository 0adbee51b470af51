"""The right to approve. Only words, which the database does not know."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('merchants', '0007_audit_trail'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='merchant',
            options={'ordering': ['name', 'merchant_id'], 'permissions': [('export', 'Can take lists away as files'), ('issue_any_number', 'Can issue more coupons at once than the limit'), ('manage_accounts', 'Can change the dfire and smart-coupon accounts of their merchants'), ('approve', 'Can approve what others may not do alone')], 'verbose_name': 'merchant', 'verbose_name_plural': 'merchants'},
        ),
    ]
