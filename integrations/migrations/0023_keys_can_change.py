"""Which encryption key hashed what, and what a key's hash is made of, so that encryption keys can be exchanged."""

from django.db import migrations, models

import merchants.secrets


def _under() -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", editable=False, max_length=8)


class Migration(migrations.Migration):
    dependencies = [("integrations", "0022_audited")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="digest",
            field=merchants.secrets.EncryptedTextField(blank=True, db_default="", default="", editable=False),
        ),
        migrations.AddField(model_name="pushanswer", name="under", field=_under()),
        migrations.AddField(model_name="signatureseen", name="under", field=_under()),
        migrations.AddField(model_name="apianswer", name="under", field=_under()),
    ]
