"""The states of callbacks, checked while callbacks go on coming in."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0020_partner_orders")]

    operations = [ValidateConstraint("dfirecallback", "callback_state_known")]
