"""Templates, their versions and what is decided about batches go into the audit trail (`merchants.audit`)."""

from django.db import migrations

from merchants.audit.triggers import Rows, backward, forward

WATCHED = (
    Rows(
        "coupons_coupontemplate", "coupons.coupontemplate", "r.title",
        "merchant_id reference title notice kind amount_fen percent_paid min_spend_fen menu_ids start_date end_date"
        " valid_days shop_entity_ids use_weekdays use_times use_dates blackout_dates channels stock per_person_limit"
        " per_person_daily_limit budget_fen cost_each_fen status source_account_id",
        merchant="r.merchant_id",
    ),
    Rows(
        "coupons_templateversion", "coupons.templateversion", "r.promotion_id || ' · v' || r.number",
        "template_id number promotion_id terms_json",
        merchant="(SELECT t.merchant_id FROM coupons_coupontemplate t WHERE t.id = r.template_id)",
    ),
    Rows(
        "coupons_batch", "coupons.batch",
        "CASE r.name WHEN '' THEN '#' || r.id ELSE merchants_audit_masked(r.name) END",
        "kind state merchant_id template_id recalls_id name reason valid_until", merchant="r.merchant_id",
    ),
)  # fmt: skip


class Migration(migrations.Migration):
    """Triggers; nothing that Django's models could say."""

    dependencies = [("coupons", "0012_redeeming_events"), ("merchants", "0007_audit_trail")]
    operations = [migrations.RunSQL(forward(WATCHED), backward(WATCHED))]
