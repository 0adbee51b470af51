"""The keys of people's phones go from django-otp's column, which is readable, into a sealed one of ours.

Recovery codes are hashed with the phone's key from now on, so those from before are forgotten; their owners make new ones.
An erasure keeps, sealed, what its keyed hashes are made of, so that they can be made under the next encryption key.
"""

import django.db.models.deletion
from django.db import migrations, models
from django_otp.plugins.otp_totp.models import default_key

import merchants.secrets

SEALED = "sealed"


def seal(apps, schema_editor):
    database = schema_editor.connection.alias
    phone, authenticator = apps.get_model("otp_totp", "TOTPDevice"), apps.get_model("merchants", "Authenticator")
    for device in phone.objects.using(database).exclude(key=SEALED):
        authenticator(totpdevice_ptr_id=device.pk, secret=device.key).save_base(raw=True, using=database)
    phone.objects.using(database).update(key=SEALED)
    apps.get_model("otp_static", "StaticDevice").objects.using(database).all().delete()


def open_again(apps, schema_editor):
    database = schema_editor.connection.alias
    phone = apps.get_model("otp_totp", "TOTPDevice")
    for device in apps.get_model("merchants", "Authenticator").objects.using(database):
        phone.objects.using(database).filter(pk=device.pk).update(key=device.secret)


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0008_approve"),
        ("otp_static", "0003_add_timestamps"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    online_because = "RunPython moves one row for each member of staff who has a phone, and locks those alone."

    operations = [
        migrations.AddField(
            model_name="erasure",
            name="name_digests",
            field=merchants.secrets.EncryptedTextField(blank=True, db_default="", default="", editable=False),
        ),
        migrations.DeleteModel(name="Authenticator"),
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                (
                    "totpdevice_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="otp_totp.totpdevice",
                    ),
                ),
                ("secret", merchants.secrets.EncryptedTextField(default=default_key, editable=False)),
            ],
            options={
                "verbose_name": "two-factor device",
                "verbose_name_plural": "two-factor devices",
                "default_permissions": ("view", "delete"),
            },
            bases=("otp_totp.totpdevice",),
        ),
        migrations.RunPython(seal, open_again),
    ]
