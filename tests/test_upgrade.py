"""An upgrade keeps what the last release wrote, and lets its processes go on writing until they are replaced."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Index
from psycopg import sql

from config.management.commands import migrate
from tests import documented
from tests.test_migrations_online import APPS, RELEASED

ROOT = Path(__file__).parents[1]
FIRST_RELEASE = Path(__file__).with_name("first_release.sql").read_text()
NAME = f"upgraded_{os.environ.get('PYTEST_XDIST_WORKER', '')}"

pytestmark = pytest.mark.xdist_group("upgrade")  # they share that database


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a database with the last release's schema, and one of everything in it."""
    server = os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {NAME}")
        url = urlsplit(server)._replace(path=f"/{NAME}").geturl()
        migrated(url, "auth", *map(" ".join, RELEASED.items()))
        with psycopg.connect(url) as old:
            old.execute(FIRST_RELEASE)
        yield url
        admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


_MIGRATES = """
import sys, django
from django.core.management import ManagementUtility
django.setup()
for target in sys.argv[1:]:
    ManagementUtility(["manage.py", "migrate", "--verbosity", "0", *target.split()]).execute()
"""


def migrate_to(url: str, *targets: str) -> subprocess.CompletedProcess[str]:
    """`migrate` to each of the targets in turn."""
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.run(
        [sys.executable, "-c", _MIGRATES, *targets],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def migrated(url: str, *targets: str) -> None:
    done = migrate_to(url, *targets)
    assert done.returncode == 0, done.stdout + done.stderr


def columns(url: str) -> dict[str, list[str]]:
    """Our tables with their columns."""
    with psycopg.connect(url) as reader:
        rows = reader.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " ORDER BY table_name, ordinal_position"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in rows:
        if table.split("_")[0] in APPS:
            found.setdefault(table, []).append(column)
    return found


def content(url: str, tables: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in these columns."""
    with psycopg.connect(url) as reader:
        return {
            table: reader.execute(
                sql.SQL("SELECT {} FROM {} ORDER BY 1").format(
                    sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table)
                )
            ).fetchall()
            for table, names in tables.items()
        }


def test_a_migration_that_cannot_have_its_lock_gives_up_instead_of_stopping_the_portal(database: str) -> None:
    with psycopg.connect(database) as reader:
        reader.execute("LOCK TABLE coupons_couponevent IN ACCESS SHARE MODE")  # as a long query does
        done = migrate_to(database, "coupons 0001_initial")  # backwards: the trigger on that table is to go
    assert done.returncode == 1
    assert "A table was in use for more than 3 s" in done.stderr
    with psycopg.connect(database) as reader, pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        reader.execute("DELETE FROM coupons_couponevent")


def test_an_upgrade_keeps_everything_and_old_processes_can_go_on_writing(database: str) -> None:
    tables = columns(database)
    before = content(database, tables)
    assert all(before.values()), "one of everything"
    documented.run("upgrade.md", "Upgrade", {**os.environ, "DATABASE_URL": database})
    assert content(database, tables) == before
    with psycopg.connect(database) as old:
        old.execute("SET session_replication_role = replica")  # else the audit trail refuses it
        old.execute(sql.SQL("TRUNCATE auth_user, {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
        old.execute("RESET session_replication_role")
        old.execute(FIRST_RELEASE)
    assert content(database, tables) == before


@pytest.mark.django_db(transaction=True)
def test_an_index_that_is_built_beside_the_work_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.05)
    migration = Migration("built_beside", "coupons")
    migration.operations = [AddIndexConcurrently("IssuedCoupon", Index(fields=["flag"], name="built_beside"))]
    migration.atomic = False
    command = migrate.Command()
    command.verbosity = 0
    executor = MigrationExecutor(connection, command.migration_progress_callback)
    executor.record_migration = lambda migration: None  # type: ignore[method-assign]
    with psycopg.connect(**connection.get_connection_params()) as writer:
        writer.execute("LOCK TABLE coupons_issuedcoupon IN ROW EXCLUSIVE MODE")
        threading.Timer(0.5, writer.rollback).start()
        executor.apply_migration(executor.loader.project_state(), migration)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX built_beside")
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
