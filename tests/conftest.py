"""What every test may use."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker
from redis import Redis

from integrations.hooks.database import without_limits
from integrations.sandbox.server import Sandbox
from merchants.audit.triggers import KEPT
from merchants.audit.watching import watched
from merchants.models import DfireAccount, Merchant
from tests.attack import budget
from tests.factories import DfireAccountFactory, MerchantFactory

APP_KEY, APP_SECRET = "test-key", "test-secret"


def pytest_configure() -> None:
    """What makes guessing slow and answers fast costs tests a second each: passwords hashed a million times over, and
    all static files read anew for every client that is made.
    """
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _no_leftovers(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Rate limits of one test must not reach the next, nor the database's bounds of a call."""
    yield
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        _redis(settings.REDIS_URL).flushdb()
        with django_db_blocker.unblock():
            without_limits()


@lru_cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say with how many inputs hooks and API were attacked."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    if count := budget.told(reports):
        terminalreporter.write_line(f"attacked with {count} inputs")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A dfire of one's own, over real HTTP."""
    config = tmp_path / "sandbox.json"
    config.write_text(
        f'{{"portal_url": "http://127.0.0.1:9", "accounts": [{{"app_key": "{APP_KEY}", "app_secret": "{APP_SECRET}"}}],'
        ' "platforms": []}'
    )
    server = Sandbox("127.0.0.1", 0, config, tmp_path / "sandbox.sqlite3")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def account(db: None, sandbox: Sandbox) -> DfireAccount:
    """An account at the sandbox."""
    made: DfireAccount = DfireAccountFactory(
        name="sandbox", base_url=f"{sandbox.url}/router", app_key=APP_KEY, app_secret=APP_SECRET
    )
    return made


@pytest.fixture
def merchant(account: DfireAccount) -> Merchant:
    """A merchant whose tills are the sandbox's."""
    made: Merchant = MerchantFactory(merchant_id="88", dfire_account=account)
    return made


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Between tests with transactions of their own every table is emptied; the trail and what it watches refuse it."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE merchants_auditentry DISABLE TRIGGER auditentry_never_emptied")
        for table in watched():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_{KEPT}")
