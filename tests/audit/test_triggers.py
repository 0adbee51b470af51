"""Whatever changes a watched row is told, from what to what, and by whom; secrets are told to have changed, no more."""

import re
from contextlib import suppress
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, transaction
from django.utils import timezone

from coupons import templates
from coupons.models import Batch, CouponTemplate
from integrations.models import AlertTarget, ApiKey, PartnerApp, WebhookEndpoint
from merchants.audit.watching import is_watched, watched
from merchants.audit.who import Who, acting
from merchants.models import AuditEntry, Authenticator, CustomerFile, DfireAccount, MerchantScope, SmartCouponAccount
from merchants.secrets import EncryptedTextField
from tests.audit.conftest import entries, last
from tests.factories import (
    CouponTemplateFactory,
    DfireAccountFactory,
    MerchantFactory,
    SmartCouponAccountFactory,
    published,
)

LILI = Who("lili", 7, "POST /admin/x/", "203.0.113.9", "0123456789abcdef")
SECRET = "the-very-s3cr3t"


def test_an_update_by_queryset_is_told_from_what_to_what(db: None) -> None:
    template = CouponTemplateFactory(title="满50减10")
    with acting(lambda: LILI):
        CouponTemplate.objects.filter(pk=template.pk).update(title="满60减10", min_spend_fen=6000)
    entry = last(template)
    assert entry.changes == {"title": ["满50减10", "满60减10"], "min_spend_fen": [5000, 6000]}
    assert (entry.actor, entry.actor_id, entry.via) == ("lili", 7, "POST /admin/x/")
    assert (entry.address, entry.request_id) == ("203.0.113.9", "0123456789abcdef")
    assert (entry.action, entry.object_name, entry.merchant_id) == ("changed", "满60减10", template.merchant_id)


def test_what_is_added_and_removed_is_told_without_what_is_empty(db: None) -> None:
    template = CouponTemplateFactory(reference="")
    assert last(template).action == "added"
    assert last(template).changes["amount_fen"] == [None, 1000]
    assert not {"reference", "stock", "menu_ids", "issued_count"} & last(template).changes.keys()
    key = template.pk
    template.delete()
    template.pk = key
    assert (last(template).action, last(template).changes["amount_fen"]) == ("removed", [1000, None])


def test_raw_sql_of_the_portal_is_told_in_the_name_of_whoever_acts(db: None) -> None:
    template = CouponTemplateFactory()
    with acting(lambda: LILI), connection.cursor() as cursor:
        cursor.execute("WITH x AS (SELECT 1) UPDATE coupons_coupontemplate SET stock = 3 WHERE id = %s", [template.pk])
    assert (last(template).actor, last(template).changes) == ("lili", {"stock": [None, 3]})


def test_whoever_is_at_the_database_itself_is_told_by_the_name_there(db: None) -> None:
    template = CouponTemplateFactory()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('portal.audit', '', true)")
        cursor.cursor.execute("UPDATE coupons_coupontemplate SET stock = 3 WHERE id = %s", [template.pk])
        cursor.execute("SELECT session_user")
        name = cursor.fetchone()[0]
    assert last(template).actor == f"database:{name}"


def test_what_is_saved_as_it_was_is_not_told(db: None) -> None:
    account = DfireAccountFactory(app_secret=SECRET)
    account.refresh_from_db()
    account.save()
    assert [entry.action for entry in entries(account)] == ["added"]


def test_counters_are_not_told_and_cost_no_round_trip(db: None, django_assert_num_queries: Any) -> None:
    template = published()
    before = len(entries(template))
    with django_assert_num_queries(1):
        CouponTemplate.objects.filter(pk=template.pk).update(issued_count=1, committed_fen=5)
    assert len(entries(template)) == before


def test_the_decisions_about_a_template_its_terms_and_a_batch_are_told(db: None) -> None:
    template = CouponTemplateFactory()
    templates.publish(template)
    assert last(template).changes == {"status": ["draft", "published"]}
    version = template.versions.get()
    assert last(version).changes["terms_json"][1]["amount_fen"] == 1000
    assert last(version).merchant_id == template.merchant_id
    batch = Batch.objects.create(merchant=template.merchant, template=template, name="会员日")
    Batch.objects.filter(pk=batch.pk).update(done=5, position=7)
    Batch.objects.filter(pk=batch.pk).update(state="paused", done=6)
    Batch.objects.filter(pk=batch.pk).update(reason="13800138000 rang")
    assert [entry.changes for entry in entries(batch)][1:] == [
        {"state": ["checking", "paused"]}, {"reason": ["", "*** rang"]},
    ]  # fmt: skip


def test_a_role_a_right_and_a_scope_are_told_at_their_user(db: None) -> None:
    user = User.objects.create_user("wang", is_staff=True)
    first, second = MerchantFactory(name="甲"), MerchantFactory(name="乙")
    with acting(lambda: LILI):
        user.groups.set(Group.objects.filter(name__in=["Marketing", "Auditor"]))
        user.user_permissions.add(Permission.objects.get(codename="export"))
        scope = MerchantScope.objects.create(user=user)
        scope.merchants.set([first, second])
        scope.merchants.remove(first)
        user.groups.clear()
    assert [entry.changes for entry in entries(user)[1:]] == [
        {"groups": [None, ["Auditor", "Marketing"]]},
        {"user_permissions": [None, ["merchants.export"]]},
        {"merchant_scope": [None, ["乙", "甲"]]},
        {"merchant_scope": [["甲"], None]},
        {"groups": [["Auditor", "Marketing"], None]},
    ]
    assert {(entry.actor, entry.object_name, entry.action) for entry in entries(user)[1:]} == {
        ("lili", "wang", "changed")
    }


def test_a_user_who_has_entries_can_be_switched_off_and_removed(db: None) -> None:
    user = User.objects.create_user("wang", is_staff=True)
    user.groups.set(Group.objects.filter(name="Marketing"))
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert last(user).changes == {"is_active": [True, False]}
    key = user.pk
    user.delete()
    user.pk = key
    assert [entry.action for entry in entries(user)] == ["added", "changed", "changed", "changed", "removed"]


def watched_rows() -> list[Any]:
    """One row of every watched table, with its secrets set."""
    app = PartnerApp.objects.create(name="小程序")
    user = User.objects.create_user("wang", password=SECRET)
    template = published()
    shop = template.merchant.shops.create(entity_id="1", name="店")
    return [
        template, template.versions.get(), template.merchant, shop, app, user, Group.objects.first(),
        Batch.objects.create(merchant=template.merchant, template=template),
        DfireAccountFactory(app_secret=SECRET),
        SmartCouponAccountFactory(
            token=f"{SECRET}-1", previous_token=f"{SECRET}-2", developer_key=f"{SECRET}-3", app_secret=f"{SECRET}-4"
        ),
        ApiKey.objects.create(app=app, prefix="cp_12345", key_hash=SECRET),
        WebhookEndpoint.objects.create(
            app=app, url=f"https://u:{SECRET}@example.com/hook?key={SECRET}", secret=SECRET, previous_secret=SECRET
        ),
        AlertTarget.objects.create(name="群", address=f"wecombot://{SECRET}"),
        Authenticator.objects.create(user=user, name="phone", secret=SECRET.encode().hex()),
        CustomerFile.objects.create(merchant=template.merchant),
    ]  # fmt: skip


def test_no_secret_of_any_watched_table_is_in_the_trail(db: None) -> None:
    """Neither the secret, nor what is stored of it: not the sealed form, and no hash."""
    rows = watched_rows()
    assert {row._meta.db_table for row in rows} | {"otp_totp_totpdevice", "coupons_approval"} >= {
        table for table in watched() if not is_of_links(table)
    }
    stored: list[str] = []
    for row in rows:
        for field in filter(is_secret, row._meta.concrete_fields):
            own = field.model._meta
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT "{field.column}" FROM {own.db_table} WHERE {own.pk.column} = %s', [row.pk])
                stored += [value for (value,) in cursor.fetchall() if value]
    assert len(stored) > 12
    type(rows[0])._default_manager.filter(pk=rows[0].pk).update(title="x")
    for row in rows:
        row.delete() if isinstance(row, ApiKey | WebhookEndpoint | AlertTarget | Authenticator) else row.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(e::text, chr(10)), '') FROM merchants_auditentry e")
        trail = cursor.fetchone()[0]
    assert SECRET not in trail
    assert not [value for value in stored if value in trail]
    account = SmartCouponAccount.objects.get(pk=rows[9].pk)
    assert [name for name, said in entries(account)[0].changes.items() if said is True]


def is_secret(field: Any) -> bool:
    """Whether a column holds a secret, or what one could be tried on."""
    named = re.search(r"password|hash|secret|key|token", field.column) and field.column != "app_key"
    return isinstance(field, EncryptedTextField) or bool(named and not field.is_relation)


def is_of_links(table: str) -> bool:
    """Whether a table holds a many-to-many field."""
    return table in {
        relation.m2m_db_table() for model in apps.get_models() for relation in model._meta.local_many_to_many
    }


def test_every_column_of_every_watched_table_is_told_or_left_out_on_purpose(db: None) -> None:
    """The triggers (which stand in migrations), what the code thinks is watched, and the models say the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgrelid::regclass::text, t.tgname, ARRAY(SELECT a.attname FROM pg_attribute a"
            " WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr)) FROM pg_trigger t"
            " JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname IN ('merchants_audit_row', 'merchants_audit_links')"
        )
        found = cursor.fetchall()
        told = {table: set(columns) for table, _name, columns in found if columns}
        assert {table for table, _name, _columns in found} == watched().keys()
        for table, columns in told.items():
            cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
            everything = {name for (name,) in cursor.fetchall()}
            assert columns | watched()[table] == everything, table
            assert not columns & watched()[table], table


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('UPDATE "coupons_coupontemplate" SET "issued_count" = (1) WHERE x', False),
        ('UPDATE "coupons_coupontemplate" SET "issued_count" = 1, "title" = %s WHERE x', True),
        ("update coupons_coupontemplate set title = %s", True),
        ('UPDATE "coupons_coupontemplate" SET "issued_count" = (SELECT 1 FROM x), "title" = %s', True),
        ('INSERT INTO "auth_user_groups" ("user_id") VALUES (1)', True),
        ("WITH x AS (SELECT 1) DELETE FROM merchants_shop", True),
        ('INSERT INTO "coupons_issuedcoupon" ("code") VALUES (1)', False),
        ('UPDATE "auth_user" SET "last_login" = %s WHERE x', False),
        ('UPDATE "integrations_apikey" SET "last_used_at" = %s', False),
        ("SELECT 1 FROM auth_user", False),
    ],
)
def test_knows_which_statements_write_what_is_watched(sql: str, expected: bool) -> None:
    assert is_watched(sql) is expected


def breaks_off(change: Any) -> None:
    """Make the change in a transaction that is rolled back."""
    with suppress(RuntimeError), transaction.atomic():
        change()
        raise RuntimeError


@pytest.mark.django_db(transaction=True)
def test_nobody_s_name_stays_on_a_connection() -> None:
    template = CouponTemplateFactory()
    titles = CouponTemplate.objects.filter(pk=template.pk)
    with acting(lambda: LILI):
        titles.update(title="a")  # outside of a transaction
        with transaction.atomic():
            titles.update(title="b")
        breaks_off(lambda: titles.update(title="c"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('portal.audit', true)")
        assert not cursor.fetchone()[0]
    titles.update(title="d")
    with connection.cursor() as cursor:
        cursor.cursor.execute("UPDATE coupons_coupontemplate SET title = 'e' WHERE id = %s", [template.pk])
    assert [entry.actor.split(":")[0] for entry in entries(template)[1:]] == ["lili", "lili", "portal", "database"]
    assert timezone.now() >= last(template).at


def test_a_savepoint_that_is_rolled_back_takes_no_name_along(db: None) -> None:
    template = CouponTemplateFactory()
    titles = CouponTemplate.objects.filter(pk=template.pk)
    with acting(lambda: LILI):
        breaks_off(lambda: titles.update(title="a"))
        titles.update(title="b")
    titles.update(title="c")
    assert [entry.actor for entry in entries(template)[1:]] == ["lili", "portal"]


def test_the_trail_can_be_read_though_dfire_s_account_is_gone(db: None) -> None:
    account = DfireAccountFactory(name="旧")
    DfireAccount.objects.filter(pk=account.pk).delete()
    assert AuditEntry.objects.filter(kind="merchants.dfireaccount", action="removed", object_name="旧").exists()
