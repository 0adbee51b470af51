"""Looks at the rows that were there before, without keeping anyone from writing."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('merchants', '0003_customers_can_be_erased'),
    ]

    operations = [
        ValidateConstraint(model_name='customer', name='customer_erased_has_no_name'),
    ]
