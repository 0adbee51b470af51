"""Migrations run while the portal works: each one since the last release is judged by the SQL that it sends."""

from collections.abc import Iterator

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Now, Random
from pytest_django.plugin import DjangoDbBlocker

from tests.online_migrations import Judge, faults_of

APPS = ("merchants", "coupons", "integrations")
RELEASED = {"merchants": "0002_customers_whole_mobile", "coupons": "0002_history_is_append_only",
            "integrations": "0001_initial"}  # fmt: skip
# Made one by one, by people or by a platform's rules: some ten thousand rows at most, which are read in milliseconds.
SMALL = {
    *("merchants_dfireaccount", "merchants_smartcouponaccount", "merchants_smartcouponaccount_merchants"),
    *("merchants_merchant", "merchants_shop", "merchants_merchantscope", "merchants_merchantscope_merchants"),
    *("integrations_accountstate", "integrations_partnerapp", "integrations_partnerapp_merchants"),
    *("integrations_apikey", "integrations_webhookendpoint", "coupons_coupontemplate", "coupons_templateversion"),
}


@pytest.fixture(autouse=True, scope="module")
def _database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Asked for its kind alone, and outside of a transaction, as some operations insist."""
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None)


@pytest.fixture(scope="module")
def existing(loader: MigrationLoader) -> set[str]:
    """The tables of the last release."""
    models_then = loader.project_state(list(RELEASED.items())).apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models_then if model._meta.app_label in APPS}


def since_the_release(loader: MigrationLoader) -> Iterator[Migration]:
    released = {node for app in RELEASED.items() for node in loader.graph.forwards_plan(app)}
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in APPS and (app, name) not in released:
            yield migration


def test_every_migration_since_the_release_may_run_while_the_portal_works(
    loader: MigrationLoader, existing: set[str]
) -> None:
    faults = {}
    for migration in since_the_release(loader):
        node = (migration.app_label, migration.name)
        before = loader.project_state(node, at_end=False)
        if found := faults_of(migration, before, existing=existing, small=SMALL):
            faults["{}.{}".format(*node)] = found
    assert not faults, "\n".join(f"{name}: {fault}" for name, found in faults.items() for fault in found)


def test_the_tables_that_count_as_small_are_there(existing: set[str]) -> None:
    assert existing >= SMALL


def judged(
    loader: MigrationLoader, existing: set[str], *operations: Operation, atomic: bool = True, waiver: str = ""
) -> str:
    """What is said of a migration of the coupons with these operations."""
    migration = Migration("judged", "coupons")
    migration.operations, migration.atomic = list(operations), atomic
    migration.online_because = waiver  # type: ignore[attr-defined]
    before = loader.project_state(list(RELEASED.items()))
    return "\n".join(faults_of(migration, before, existing=existing, small=SMALL))


def add_field(name: str, kind: models.Field) -> Operation:  # type: ignore[type-arg]
    return migrations.AddField("IssuedCoupon", name, kind)


INDEX = models.Index(fields=["delivered_at"], name="judged_index")
CHECK = models.CheckConstraint(condition=models.Q(flag=""), name="judged_check")
UNIQUE = models.UniqueConstraint(fields=["delivered_openid"], name="judged_unique")

BAD = {
    "an index that stops writing": ([migrations.AddIndex("IssuedCoupon", INDEX)], "use AddIndexConcurrently"),
    "a constraint that is checked at once": (
        [migrations.AddConstraint("IssuedCoupon", CHECK)],
        "AddConstraintNotValid",
    ),
    "a unique constraint": ([migrations.AddConstraint("IssuedCoupon", UNIQUE)], "reads every row"),
    "a constraint validated under the lock that added it": (
        [AddConstraintNotValid("IssuedCoupon", CHECK), ValidateConstraint("IssuedCoupon", CHECK.name)],
        "a migration of its own",
    ),
    "a column that old code cannot fill": ([add_field("a", models.CharField(default="x"))], "use db_default"),
    "a column with a value for each row": ([add_field("a", models.FloatField(db_default=Random()))], "every row"),
    "a unique column": ([add_field("a", models.CharField(null=True, unique=True))], "builds an index"),
    "a column with a check": ([add_field("a", models.PositiveIntegerField(null=True))], "for the CHECK"),
    "another type": ([migrations.AlterField("IssuedCoupon", "flag", models.IntegerField())], "new type"),
    "no more nulls": (
        [migrations.AlterField("IssuedCoupon", "delivered_at", models.DateTimeField())],
        "the last release may still write none",
    ),
    "a column that old code reads": ([migrations.RemoveField("IssuedCoupon", "flag")], "drop it in the next one"),
    "a new name": ([migrations.RenameField("IssuedCoupon", "flag", "flags")], "the old name"),
    "a table that old code reads": ([migrations.DeleteModel("CouponEvent")], "drop it in the next one"),
    "all rows changed at once": (
        [migrations.RunSQL("-- why\nUPDATE coupons_issuedcoupon SET flag = ''; SELECT 1")],
        "in batches",
    ),
    "Python in one transaction": ([migrations.RunPython(lambda apps, editor: None)], "in batches"),
    "what nobody knows": ([migrations.RunSQL("CLUSTER coupons_issuedcoupon")], "not known to be harmless"),
    "an alteration that nobody knows": (
        [migrations.RunSQL("ALTER TABLE coupons_issuedcoupon SET LOGGED")],
        "not known to be harmless",
    ),
}


@pytest.mark.parametrize(("operations", "why"), BAD.values(), ids=BAD.keys())
def test_refuses(loader: MigrationLoader, existing: set[str], operations: list[Operation], why: str) -> None:
    assert why in judged(loader, existing, *operations)


def test_refuses_an_alteration_outside_of_a_transaction(loader: MigrationLoader, existing: set[str]) -> None:
    column = add_field("a", models.DateTimeField(null=True))
    assert "no lock_timeout" in judged(loader, existing, column, atomic=False)


GOOD = {
    "a column without a value": ([add_field("a", models.DateTimeField(null=True))], True),
    "a column with a default of the database": (
        [add_field("a", models.CharField(db_default="NOT VALID, CHECK (x)"))],
        True,
    ),
    "a column with one time for all rows": ([add_field("a", models.DateTimeField(db_default=Now()))], True),
    "a reference": (
        [add_field("a", models.ForeignKey("merchants.Shop", models.PROTECT, null=True, db_index=False))],
        True,
    ),
    "an index built beside the work": ([AddIndexConcurrently("IssuedCoupon", INDEX)], False),
    "a constraint for new rows": ([AddConstraintNotValid("IssuedCoupon", CHECK)], True),
    "its validation for the old ones": (
        [migrations.RunSQL("ALTER TABLE coupons_issuedcoupon VALIDATE CONSTRAINT judged_check")],
        False,
    ),
    "a constraint dropped": ([migrations.RemoveConstraint("IssuedCoupon", "coupon_delivery_known")], True),
    "a new table with anything": (
        [
            migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True)), ("a", models.TextField())]),
            migrations.AddIndex("New", models.Index(fields=["a"], name="new_index")),
            migrations.AddConstraint("New", models.UniqueConstraint(fields=["a"], name="new_unique")),
            migrations.AddField("New", "b", models.PositiveIntegerField(default=1, unique=True)),
            migrations.RunSQL("UPDATE coupons_new SET a = ''"),
        ],
        True,
    ),
    "words alone": ([migrations.AlterModelOptions("IssuedCoupon", {"verbose_name": "x"})], True),
    "Python in batches": ([migrations.RunPython(lambda apps, editor: None)], False),
}


@pytest.mark.parametrize(("operations", "atomic"), GOOD.values(), ids=GOOD.keys())
def test_permits(loader: MigrationLoader, existing: set[str], operations: list[Operation], atomic: bool) -> None:
    assert judged(loader, existing, *operations, atomic=atomic) == ""


def test_a_waiver_says_why(loader: MigrationLoader, existing: set[str]) -> None:
    wider = migrations.AlterField("IssuedCoupon", "flag", models.CharField(max_length=300))
    assert "new type" in judged(loader, existing, wider)
    assert judged(loader, existing, wider, waiver="A longer varchar changes no row.") == ""


def test_the_first_migrations_are_read_to_the_end(loader: MigrationLoader) -> None:
    """Functions with statements in them are one statement, and nothing in the first release is unknown."""
    for node in RELEASED.items():
        for name in loader.graph.forwards_plan(node):
            if name[0] not in APPS:
                continue
            migration = loader.disk_migrations[name]
            with connection.schema_editor(collect_sql=True) as editor:
                migration.apply(loader.project_state(name, at_end=False), editor, collect_sql=True)
            assert Judge(existing=()).judge(editor.collected_sql) == []
