"""Long periods are read from sums of the figures' merged rows, which the database keeps (`coupons.figures.rolled`)."""

import django.db.models.deletion
from django.db import migrations, models

from coupons.figures import rolled, rolling

_FUNCTION = """
CREATE FUNCTION coupons_figures_rolled_{when}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {statement};
    RETURN NULL;
END $$;
CREATE TRIGGER dayfigures_rolled_{when} AFTER {event} ON coupons_dayfigures
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION coupons_figures_rolled_{when}();
"""
_NEW, _OLD = rolled("fresh"), rolled("gone", "-")
FORWARD = (
    _FUNCTION.format(when="inserted", event="INSERT", tables="NEW TABLE AS fresh", statement=rolling(_NEW))
    + _FUNCTION.format(
        when="updated",
        event="UPDATE",
        tables="OLD TABLE AS gone NEW TABLE AS fresh",
        statement=rolling(f"{_NEW} UNION ALL {_OLD}"),
    )
    + _FUNCTION.format(when="deleted", event="DELETE", tables="OLD TABLE AS gone", statement=rolling(_OLD))
)
BACKWARD = "".join(
    f"DROP TRIGGER dayfigures_rolled_{when} ON coupons_dayfigures; DROP FUNCTION coupons_figures_rolled_{when};"
    for when in ("inserted", "updated", "deleted")
)


class Migration(migrations.Migration):

    dependencies = [
        ('coupons', '0009_pushed_and_redeemed'),
        ('merchants', '0005_push_tokens_change_over'),
    ]

    operations = [
        migrations.CreateModel(
            name='RolledFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issued', models.BigIntegerField(default=0)),
                ('delivered', models.BigIntegerField(default=0)),
                ('used', models.BigIntegerField(default=0)),
                ('revoked', models.BigIntegerField(default=0)),
                ('expired', models.BigIntegerField(default=0)),
                ('redeemed', models.BigIntegerField(default=0)),
                ('saved_fen', models.BigIntegerField(default=0)),
                ('saved_known', models.BigIntegerField(default=0)),
                ('paid_fen', models.BigIntegerField(default=0)),
                ('paid_known', models.BigIntegerField(default=0)),
                ('spent_fen', models.BigIntegerField(default=0)),
                ('day', models.DateField(verbose_name='day')),
                ('merchant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.merchant')),
                ('template', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coupons.coupontemplate')),
            ],
            options={
                'verbose_name': 'figures rolled up',
                'verbose_name_plural': 'figures rolled up',
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('template__isnull', False)), fields=['merchant', 'day'], name='figures_of_weeks')],
                'constraints': [models.UniqueConstraint(fields=('merchant', 'template', 'day'), name='rolled_figures_once', nulls_distinct=False)],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
