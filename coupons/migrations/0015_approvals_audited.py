"""Requests and what was decided about them go into the audit trail (`merchants.audit`)."""

from django.db import migrations

from merchants.audit.triggers import Rows, backward, forward

WATCHED = (
    Rows(
        "coupons_approval", "coupons.approval", "merchants_audit_masked(r.subject)",
        "act state merchant_id template_id batch_id begun_id subject terms_version coupons value_fen asked reason"
        " requested_by_id expires_at decided_by_id note lapse",
        merchant="r.merchant_id",
    ),
)  # fmt: skip


class Migration(migrations.Migration):
    """Triggers; nothing that Django's models could say."""

    dependencies = [("coupons", "0014_approvals")]
    operations = [migrations.RunSQL(forward(WATCHED), backward(WATCHED))]
