"""What was merged before the triggers of 0010 is rolled up, while figures go on being written."""

from django.db import migrations

from coupons.figures import FILL_ROLLED


def fill(apps, schema_editor):
    """One statement, one snapshot: what the triggers have rolled up by then is left out."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL_ROLLED)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("coupons", "0010_figures_roll_up"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
