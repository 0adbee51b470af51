"""What staff decide about an entry of the inbox, whose it is, and which rows are held back. New columns, each with a constant default."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
import django.db.models.deletion

PROBLEMS = [
    ("unknown_coupon", "unknown code"),
    ("other_account", "another account's coupon"),
    ("after_revoke", "redeemed after it was revoked"),
    ("after_expiry", "redeemed after it expired"),
]
DECISIONS = [
    ("accepted", "the discount is accepted"),
    ("asked", "taken up with the shop"),
    ("dismissed", "not a coupon of ours"),
    ("applied", "applied to a coupon"),
]
STATES = [
    ("applied", "redeemed"),
    ("repeated", "redeemed before"),
    ("unknown_coupon", "no coupon has this code"),
    ("other_account", "the coupon's merchant uses another account"),
    ("review", "redeemed, to be looked at"),
    ("settled", "settled by hand"),
]


def text(label, length, **options):
    return models.CharField(label, max_length=length, blank=True, default="", db_default="", **options)


class Migration(migrations.Migration):

    dependencies = [("integrations", "0008_reconciliation"), ("merchants", "0001_initial")]

    operations = [
        migrations.AddField("dfirecallback", "problem", text("problem", 20, choices=PROBLEMS)),
        migrations.AddField("dfirecallback", "decision", text("decision", 20, choices=DECISIONS)),
        migrations.AddField("dfirecallback", "decided_by", text("decided by", 160)),
        migrations.AddField("dfirecallback", "note", text("reason", 200)),
        migrations.AlterField(
            "dfirecallback", "state", models.CharField("state", max_length=20, choices=STATES)
        ),
        # Django's own AddField would read the whole table for the foreign key while nobody may write to it.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(
                    "dfirecallback",
                    "merchant",
                    models.ForeignKey(
                        "merchants.Merchant", django.db.models.deletion.PROTECT, blank=True, null=True, db_index=False,
                        related_name="+", verbose_name="merchant",
                    ),
                )
            ],
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE integrations_dfirecallback ADD COLUMN merchant_id bigint NULL,"
                    " ADD CONSTRAINT integrations_dfirecallback_merchant_fk FOREIGN KEY (merchant_id)"
                    " REFERENCES merchants_merchant (id) DEFERRABLE INITIALLY DEFERRED NOT VALID",
                    "ALTER TABLE integrations_dfirecallback DROP COLUMN merchant_id",
                )
            ],
        ),
        migrations.RemoveConstraint("dfirecallback", "callback_state_known"),
        AddConstraintNotValid(
            "dfirecallback",
            models.CheckConstraint(
                condition=models.Q(state__in=[state for state, _ in STATES]), name="callback_state_known"
            ),
        ),
        migrations.AddField(
            "outboxrow",
            "held",
            models.BooleanField(
                "held back", default=False, db_default=False, help_text="Until dfire has been told of its template."
            ),
        ),
    ]
