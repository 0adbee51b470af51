"""The audit trail: its table, which nobody changes, and the triggers that fill it (`merchants.audit`)."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from merchants.audit.triggers import Links, Rows, backward, forward

# Old entries may go, one condition the retention command's alone; none of the last 30 days goes at all.
APPEND_ONLY = """
CREATE FUNCTION merchants_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('portal.audit_prunes', true) = 'on' AND OLD.at < now() - interval '30 days'
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER auditentry_append_only BEFORE UPDATE OR DELETE ON merchants_auditentry
    FOR EACH ROW EXECUTE FUNCTION merchants_audit_refuse();
CREATE TRIGGER auditentry_never_emptied BEFORE TRUNCATE ON merchants_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION merchants_audit_refuse();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER auditentry_never_emptied ON merchants_auditentry;
DROP TRIGGER auditentry_append_only ON merchants_auditentry;
DROP FUNCTION merchants_audit_refuse;
"""

# Who acts is said in a setting of the transaction; nobody said it = somebody who is at the database directly.
WRITE = """
CREATE FUNCTION merchants_audit_write(
    kind text, object_id text, object_name text, merchant bigint, action text, changes jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who jsonb := nullif(current_setting('portal.audit', true), '')::jsonb;
BEGIN
    IF who IS NULL THEN
        who := jsonb_build_object('actor', 'database:' || session_user, 'via', current_setting('application_name'),
            'address', coalesce(host(inet_client_addr()), ''));
    END IF;
    INSERT INTO merchants_auditentry
        (at, actor_id, actor, via, address, request_id, kind, object_id, object_name, merchant_id, action, act, reason,
         changes)
    VALUES (
        clock_timestamp(), (who->>'id')::bigint, left(who->>'actor', 150), left(coalesce(who->>'via', ''), 200),
        left(coalesce(who->>'address', ''), 64), left(coalesce(who->>'request_id', ''), 64), kind, left(object_id, 64),
        left(coalesce(object_name, ''), 200), merchant, action, '', '', changes
    );
END $$;
"""

# Arguments: the object's kind, the query for its name and merchant, columns, secret columns.
# Of an address what may be secret in it is left out; of reasons and names (of files, too) mobile numbers.
ROWS = r"""
CREATE FUNCTION merchants_audit_masked(words text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(words, '(?<![0-9])1[0-9]{10}(?![0-9])', '***', 'g')
$$;
CREATE FUNCTION merchants_audit_shown(name text, value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN name LIKE '%url' AND jsonb_typeof(value) = 'string'
        THEN to_jsonb(regexp_replace(regexp_replace(value #>> '{}', '//[^/@]*@', '//***@'), '[?#].*', '?***'))
        WHEN name IN ('reason', 'name', 'subject') AND jsonb_typeof(value) = 'string'
        THEN to_jsonb(merchants_audit_masked(value #>> '{}'))
        ELSE value END
$$;
CREATE FUNCTION merchants_audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    secret text[] := TG_ARGV[3];
    object_name text;
    merchant bigint;
    changes jsonb;
BEGIN
    SELECT jsonb_object_agg(name, CASE WHEN name = ANY (secret) THEN 'true' ELSE jsonb_build_array(
            merchants_audit_shown(name, before->name), merchants_audit_shown(name, after->name)) END)
        INTO changes
        FROM unnest(TG_ARGV[2]::text[] || secret) AS name
        WHERE CASE TG_OP WHEN 'UPDATE' THEN before->name IS DISTINCT FROM after->name
            ELSE coalesce(before->name, after->name) NOT IN ('null', '""', '[]', '{}') END;
    IF changes IS NULL AND TG_OP = 'UPDATE' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        EXECUTE TG_ARGV[1] INTO object_name, merchant USING OLD;
    ELSE
        EXECUTE TG_ARGV[1] INTO object_name, merchant USING NEW;
    END IF;
    PERFORM merchants_audit_write(TG_ARGV[0], coalesce(after, before)->>'id', object_name, merchant,
        CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'DELETE' THEN 'removed' ELSE 'changed' END,
        coalesce(changes, '{}'));
    RETURN NULL;
END $$;
"""

# Arguments: the owner's kind, its field, the query for (owner's key, its name, what is linked) over `links`.
LINKS = """
CREATE FUNCTION merchants_audit_links() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    side text;
    found record;
BEGIN
    FOREACH side IN ARRAY CASE TG_OP WHEN 'INSERT' THEN ARRAY['fresh'] WHEN 'DELETE' THEN ARRAY['gone']
        ELSE ARRAY['gone', 'fresh'] END
    LOOP
        FOR found IN EXECUTE 'SELECT id, name, jsonb_agg(linked ORDER BY linked) AS linked FROM ('
            || replace(TG_ARGV[2], 'links', side) || ') AS l (id, name, linked) GROUP BY id, name ORDER BY id'
        LOOP
            PERFORM merchants_audit_write(TG_ARGV[0], found.id::text, found.name::text, NULL, 'changed',
                jsonb_build_object(TG_ARGV[1], CASE side WHEN 'gone' THEN jsonb_build_array(found.linked, NULL)
                    ELSE jsonb_build_array(NULL, found.linked) END));
        END LOOP;
    END LOOP;
    RETURN NULL;
END $$;
"""
KEEP = """
CREATE FUNCTION merchants_audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE of % would not be told in the audit trail: use DELETE', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""
NO_FUNCTIONS = """
DROP FUNCTION merchants_audit_keep;
DROP FUNCTION merchants_audit_links;
DROP FUNCTION merchants_audit_row;
DROP FUNCTION merchants_audit_shown;
DROP FUNCTION merchants_audit_masked;
DROP FUNCTION merchants_audit_write;
"""

_USER = "LEFT JOIN auth_user u ON u.id = {}"
WATCHED = (
    Rows(
        "merchants_merchant", "merchants.merchant", "r.name",
        "merchant_id name dfire_account_id entity_id plate_entity_id appid", merchant="r.id",
    ),
    Rows("merchants_shop", "merchants.shop", "r.name", "merchant_id entity_id name", merchant="r.merchant_id"),
    Rows(
        "merchants_dfireaccount", "merchants.dfireaccount", "r.name",
        "name base_url app_key transfer_method max_requests_per_second max_concurrency timeout_seconds",
        secrets="app_secret",
    ),
    Rows(
        "merchants_smartcouponaccount", "merchants.smartcouponaccount", "r.name",
        "name previous_until require_signature allowed_addresses repeat_window_seconds confirm_with_dfire"
        " consume_base_url app_id",
        secrets="token token_hash previous_token previous_token_hash developer_key app_secret",
    ),
    Links(
        "merchants_smartcouponaccount_merchants", "merchants.smartcouponaccount", "merchants",
        "SELECT l.smartcouponaccount_id, a.name, m.name FROM links l"
        " LEFT JOIN merchants_smartcouponaccount a ON a.id = l.smartcouponaccount_id"
        " LEFT JOIN merchants_merchant m ON m.id = l.merchant_id",
    ),
    Links(
        "merchants_merchantscope_merchants", "auth.user", "merchant_scope",
        "SELECT u.id, u.username, m.name FROM links l"
        f" LEFT JOIN merchants_merchantscope s ON s.id = l.merchantscope_id {_USER.format('s.user_id')}"
        " LEFT JOIN merchants_merchant m ON m.id = l.merchant_id",
    ),
    Rows(
        "auth_user", "auth.user", "r.username",
        "username first_name last_name email is_staff is_active is_superuser", secrets="password",
    ),
    Rows("auth_group", "auth.group", "r.name", "name"),
    Links(
        "auth_user_groups", "auth.user", "groups",
        f"SELECT l.user_id, u.username, g.name FROM links l {_USER.format('l.user_id')}"
        " LEFT JOIN auth_group g ON g.id = l.group_id",
    ),
    Links(
        "auth_user_user_permissions", "auth.user", "user_permissions",
        f"SELECT l.user_id, u.username, c.app_label || '.' || p.codename FROM links l {_USER.format('l.user_id')}"
        " LEFT JOIN auth_permission p ON p.id = l.permission_id"
        " LEFT JOIN django_content_type c ON c.id = p.content_type_id",
    ),
    Links(
        "auth_group_permissions", "auth.group", "permissions",
        "SELECT l.group_id, g.name, c.app_label || '.' || p.codename FROM links l"
        " LEFT JOIN auth_group g ON g.id = l.group_id"
        " LEFT JOIN auth_permission p ON p.id = l.permission_id"
        " LEFT JOIN django_content_type c ON c.id = p.content_type_id",
    ),
    Rows(
        "otp_totp_totpdevice", "merchants.authenticator",
        "(SELECT u.username FROM auth_user u WHERE u.id = r.user_id)", "user_id name confirmed", secrets="key",
    ),
)  # fmt: skip


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("merchants", "0006_roles"),
        ("otp_totp", "0003_add_timestamps"),
    ]
    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="time")),
                ("actor_id", models.BigIntegerField(editable=False, null=True)),
                ("actor", models.CharField(max_length=150, verbose_name="who")),
                ("via", models.CharField(blank=True, default="", max_length=200, verbose_name="by way of")),
                ("address", models.CharField(blank=True, default="", max_length=64, verbose_name="address")),
                ("request_id", models.CharField(blank=True, default="", max_length=64, verbose_name="request ID")),
                ("kind", models.CharField(blank=True, default="", max_length=60, verbose_name="kind")),
                ("object_id", models.CharField(blank=True, default="", max_length=64, verbose_name="object's ID")),
                ("object_name", models.CharField(blank=True, default="", max_length=200, verbose_name="object")),
                ("action", models.CharField(choices=[("added", "added"), ("changed", "changed"), ("removed", "removed"), ("acted", "done")], max_length=10, verbose_name="action")),
                ("act", models.CharField(blank=True, default="", max_length=200, verbose_name="what was done")),
                ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
                ("changes", models.JSONField(blank=True, default=dict, verbose_name="changes")),
                ("merchant", models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="merchants.merchant", verbose_name="merchant")),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit trail",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "permissions": [("view_whole_trail", "Can see the audit trail of staff, accounts and keys")],
                "indexes": [
                    models.Index(fields=["kind", "object_id", "-id"], name="audit_of_object"),
                    models.Index(fields=["merchant", "-id"], name="audit_of_merchant"),
                    models.Index(fields=["actor", "-id"], name="audit_of_actor"),
                    models.Index(fields=["object_name"], name="audit_by_name", opclasses=["varchar_pattern_ops"]),
                    models.Index(fields=["object_id"], name="audit_by_object_id"),
                    models.Index(fields=["at", "id"], name="audit_by_age"),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
        migrations.RunSQL(WRITE + ROWS + LINKS + KEEP, NO_FUNCTIONS),
        migrations.RunSQL(forward(WATCHED), backward(WATCHED)),
    ]
