"""Each order in which staff read the coupons, with its ties, by an index (read backwards: new rows come at the end of an
ascending one, and leave its pages full). Built while the portal works; what the new ones begin like is
dropped after them.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_REDEEMED = models.Q(redeemed_at__isnull=False)
_NEW = (
    models.Index(fields=["status", "id"], name="coupon_of_status"),
    models.Index(fields=["merchant", "status", "id"], name="coupon_of_merchants_status"),
    models.Index(fields=["issued_at", "id"], name="coupon_issued"),
    models.Index(fields=["merchant", "issued_at", "id"], name="coupon_of_merchant_issued"),
    models.Index(fields=["redeemed_at", "id"], condition=_REDEEMED, name="coupon_redeemed"),
    models.Index(
        fields=["merchant", "redeemed_at", "id"], condition=_REDEEMED, name="coupon_of_merchant_redeemed"
    ),
    models.Index(
        fields=["valid_until", "id"],
        include=["merchant"],
        condition=models.Q(status="issued", delivery="waiting"),
        name="coupon_waits_until",
    ),
    models.Index(
        fields=["merchant", "valid_until"],
        condition=models.Q(status="issued", delivery="waiting"),
        name="coupon_of_merchant_waits",
    ),
)
# Django's second index of a unique text, for LIKE: the beginning of a code is now sought between two codes.
_LIKE = "coupons_issuedcoupon_code_787717b3_like"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("coupons", "0015_approvals_audited")]

    operations = [
        *(AddIndexConcurrently("issuedcoupon", index) for index in _NEW),
        RemoveIndexConcurrently("issuedcoupon", "coupon_issued_at"),
        RemoveIndexConcurrently("issuedcoupon", "coupon_redeemed_at"),
        RemoveIndexConcurrently("issuedcoupon", "coupon_waiting_to_expire"),
        migrations.RunSQL(
            f"DROP INDEX CONCURRENTLY IF EXISTS {_LIKE}",
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_LIKE} ON coupons_issuedcoupon (code varchar_pattern_ops)",
        ),
    ]
