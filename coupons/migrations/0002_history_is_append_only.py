"""The database itself keeps history as it was written, and terms as they were promised."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION coupons_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER couponevent_append_only BEFORE UPDATE OR DELETE ON coupons_couponevent
    FOR EACH ROW EXECUTE FUNCTION coupons_refuse_change();

CREATE FUNCTION coupons_keep_promised_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM coupons_issuedcoupon WHERE version_id = OLD.id) THEN
        RAISE EXCEPTION 'terms under which coupons were issued never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER templateversion_keeps_promises BEFORE UPDATE ON coupons_templateversion
    FOR EACH ROW WHEN (OLD.terms_json IS DISTINCT FROM NEW.terms_json OR OLD.promotion_id <> NEW.promotion_id)
    EXECUTE FUNCTION coupons_keep_promised_terms();
"""
BACKWARD = """
DROP TRIGGER templateversion_keeps_promises ON coupons_templateversion;
DROP FUNCTION coupons_keep_promised_terms;
DROP TRIGGER couponevent_append_only ON coupons_couponevent;
DROP FUNCTION coupons_refuse_change;
"""


class Migration(migrations.Migration):
    """Triggers; nothing that Django's models could say."""

    dependencies = [("coupons", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
