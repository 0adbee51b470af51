"""Partner apps, their keys and addresses, and who is told of incidents go into the audit trail (`merchants.audit`)."""

from django.db import migrations

from merchants.audit.triggers import Links, Rows, backward, forward

# An address without what may be secret in it, as its label.
_LABEL = "regexp_replace(regexp_replace(r.url, '//[^/@]*@', '//'), '[?#].*', '')"
WATCHED = (
    Rows("integrations_partnerapp", "integrations.partnerapp", "r.name", "name scopes"),
    Links(
        "integrations_partnerapp_merchants", "integrations.partnerapp", "merchants",
        "SELECT l.partnerapp_id, a.name, m.name FROM links l"
        " LEFT JOIN integrations_partnerapp a ON a.id = l.partnerapp_id"
        " LEFT JOIN merchants_merchant m ON m.id = l.merchant_id",
    ),
    Rows(
        "integrations_apikey", "integrations.apikey", "r.prefix || '…'",
        "app_id prefix label expires_at allowed_addresses", secrets="key_hash",
    ),
    Rows(
        "integrations_webhookendpoint", "integrations.webhookendpoint", _LABEL, "app_id url events previous_until",
        secrets="secret previous_secret",
    ),
    Rows(
        "integrations_alerttarget", "integrations.alerttarget", "r.name", "name least_severity active",
        secrets="address",
    ),
    Links(
        "integrations_alerttarget_merchants", "integrations.alerttarget", "merchants",
        "SELECT l.alerttarget_id, a.name, m.name FROM links l"
        " LEFT JOIN integrations_alerttarget a ON a.id = l.alerttarget_id"
        " LEFT JOIN merchants_merchant m ON m.id = l.merchant_id",
    ),
)  # fmt: skip


class Migration(migrations.Migration):
    """Triggers; nothing that Django's models could say."""

    dependencies = [("integrations", "0021_partner_orders_checked"), ("merchants", "0007_audit_trail")]
    operations = [migrations.RunSQL(forward(WATCHED), backward(WATCHED))]
