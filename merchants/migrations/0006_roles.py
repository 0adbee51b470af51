"""The four roles as groups, the rights that are kept apart, and names of our own for the tables of sign-ins.

The groups are empty here: what they may do stands in `merchants.roles`, and is filled in once `migrate` has made the
permissions. A group of staff's own that is called like a role keeps its members and rights under another name.
"""

from django.db import migrations

NAMES = ("Administrator", "Marketing", "Operations", "Auditor")


def make_groups(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in NAMES:
        own = f"{name} (before roles)"
        groups.filter(name=name).update(name=own)
        groups.get_or_create(name=name)


def keep_groups(apps, schema_editor):
    """Backwards: members of a role would lose it."""



class Migration(migrations.Migration):

    dependencies = [
        ('axes', '0010_accessattemptexpiration'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('merchants', '0005_push_tokens_change_over'),
        ('otp_totp', '0003_add_timestamps'),
    ]

    online_because = "RunPython writes four rows of groups, and the rest is words; nobody waits for them."

    operations = [
        migrations.CreateModel(
            name='Authenticator',
            fields=[
            ],
            options={
                'verbose_name': 'two-factor device',
                'verbose_name_plural': 'two-factor devices',
                'proxy': True,
                'default_permissions': ('view', 'delete'),
                'indexes': [],
                'constraints': [],
            },
            bases=('otp_totp.totpdevice',),
        ),
        migrations.CreateModel(
            name='FailedSignIn',
            fields=[
            ],
            options={
                'verbose_name': 'failed sign-in',
                'verbose_name_plural': 'failed sign-ins',
                'proxy': True,
                'default_permissions': ('view',),
                'indexes': [],
                'constraints': [],
            },
            bases=('axes.accessfailurelog',),
        ),
        migrations.CreateModel(
            name='SignIn',
            fields=[
            ],
            options={
                'verbose_name': 'sign-in',
                'verbose_name_plural': 'sign-ins',
                'proxy': True,
                'default_permissions': ('view',),
                'indexes': [],
                'constraints': [],
            },
            bases=('axes.accesslog',),
        ),
        migrations.CreateModel(
            name='SignInLock',
            fields=[
            ],
            options={
                'verbose_name': 'sign-in lock',
                'verbose_name_plural': 'sign-in locks',
                'proxy': True,
                'default_permissions': ('view', 'delete'),
                'indexes': [],
                'constraints': [],
            },
            bases=('axes.accessattempt',),
        ),
        migrations.AlterModelOptions(
            name='merchant',
            options={'ordering': ['name', 'merchant_id'], 'permissions': [('export', 'Can take lists away as files'), ('issue_any_number', 'Can issue more coupons at once than the limit'), ('manage_accounts', 'Can change the dfire and smart-coupon accounts of their merchants')], 'verbose_name': 'merchant', 'verbose_name_plural': 'merchants'},
        ),
        # The packages' tables have no index that old rows are found by.
        *[
            migrations.RunSQL(
                f"CREATE INDEX {table}_by_age ON {table} (attempt_time, id)", f"DROP INDEX {table}_by_age"
            )
            for table in ("axes_accesslog", "axes_accessfailurelog", "axes_accessattempt")
        ],
        migrations.RunPython(make_groups, keep_groups),
    ]
