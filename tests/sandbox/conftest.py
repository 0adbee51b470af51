"""A running sandbox with a configuration of its own, a caller, and a portal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings

from integrations.sandbox.server import Sandbox
from tests.sandbox.caller import APP_KEY, SECRET, Caller
from tests.sandbox.portal import Portal

ROOT = Path(__file__).resolve().parents[2]

if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
    # The sandbox needs templates and translation alone, so its tests also run without the portal's settings.
    engine = "django.template.backends.django.DjangoTemplates"
    settings.configure(INSTALLED_APPS=[], USE_I18N=True, TEMPLATES=[{"BACKEND": engine, "DIRS": [ROOT / "templates"]}])
    django.setup()

CONFIG: dict[str, Any] = {
    "accounts": [
        {"app_key": APP_KEY, "app_secret": SECRET},
        {"app_key": "other-key", "app_secret": "other-secret"},
    ],
    "platforms": [
        {
            "name": "maxfun",
            "token": "push-token",
            "merchant_ids": ["88"],
            "customers": ["13800138000"],
            "developer_key": "developer_key",
            "app_id": "platform-id",
            "app_secret": "platform-secret",
        }
    ],
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="session")
def one_portal() -> Iterator[Portal]:
    server = Portal()
    yield server
    server.close()


@pytest.fixture(scope="session")
def one_sandbox(folder: Path) -> Iterator[Sandbox]:
    server = Sandbox("127.0.0.1", 0, folder / "config.json", folder / "store.sqlite3").start()
    yield server
    server.stop()


@pytest.fixture
def portal(one_portal: Portal) -> Portal:
    """A portal that has received nothing and accepts everything."""
    one_portal.forget()
    return one_portal


@pytest.fixture
def config_path(folder: Path, portal: Portal) -> Path:
    """The sandbox's configuration as it is at the beginning of each test."""
    path = folder / "config.json"
    path.write_text(json.dumps({**CONFIG, "portal_url": portal.url}))
    return path


@pytest.fixture
def sandbox(one_sandbox: Sandbox, config_path: Path) -> Sandbox:
    """The running sandbox, empty."""
    Caller(one_sandbox.url).control("POST", "reset")
    return one_sandbox


@pytest.fixture
def start(config_path: Path, tmp_path: Path) -> Iterator[Callable[[], Sandbox]]:
    """Start sandboxes one after the other on a store of this test's own."""
    running: list[Sandbox] = []

    def start_one() -> Sandbox:
        running.append(Sandbox("127.0.0.1", 0, config_path, tmp_path / "store.sqlite3").start())
        return running[-1]

    yield start_one
    for server in running:
        server.stop()


@pytest.fixture
def till(sandbox: Sandbox) -> Caller:
    """A caller of an empty sandbox."""
    return Caller(sandbox.url)


@pytest.fixture
def stocked(till: Caller) -> Caller:
    """A caller whose promotion is saved and whose customer openid-1 holds the coupon 9001."""
    till.save()
    assert till.deliver("9001")["model"]["deliverSuccess"] is True
    return till
