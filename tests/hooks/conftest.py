"""Who calls the hooks: a platform that may push for merchant 88, and the dfire account of its tills."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connection

from integrations import rates
from integrations.outbox import doorbell
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.factories import DfireAccountFactory, MerchantFactory, SmartCouponAccountFactory
from tests.hooks.gate import Gate, Way
from tests.hooks.helpers import close_connection


@pytest.fixture(autouse=True)
def _redis_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that a test took Redis away; and ring for no worker."""
    monkeypatch.setattr(rates, "_quiet_until", 0.0)
    monkeypatch.setattr(doorbell, "ring", lambda: True)


@pytest.fixture
def tills(db: None) -> DfireAccount:
    """The dfire account that signs callbacks."""
    made: DfireAccount = DfireAccountFactory(app_key="cdc08577b61942442aa89390dacb25ad", app_secret="s3cr3t-of-dfire")
    return made


@pytest.fixture
def merchant(tills: DfireAccount) -> Merchant:
    """Merchant 88."""
    made: Merchant = MerchantFactory(merchant_id="88", dfire_account=tills)
    return made


@pytest.fixture
def platform(merchant: Merchant) -> SmartCouponAccount:
    """A smart-coupon account that may push for merchant 88."""
    made: SmartCouponAccount = SmartCouponAccountFactory(name="maxfun", token="tok-0123456789abcdef")
    made.merchants.add(merchant)
    return made


@pytest.fixture
def at_once() -> Callable[[list[Callable[[], Any]]], list[Any]]:
    """Run functions side by side, each with a database connection of its own, and return what they returned."""

    def run(functions: list[Callable[[], Any]]) -> list[Any]:
        def one(function: Callable[[], Any]) -> Any:
            try:
                return function()
            finally:
                close_connection()

        with ThreadPoolExecutor(len(functions)) as pool:
            return [future.result(timeout=30) for future in [pool.submit(one, each) for each in functions]]

    return run


def _serve(**environment: str) -> Iterator[str]:
    """The portal's real web server in a process of its own; gives `host:port`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--workers", "1"]
    command += ["--blocking-threads", "4", "--host", "127.0.0.1", "--port", str(port), "config.wsgi:application"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **environment}, **quiet)
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(url: str, process: Any) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, "the web server ended"
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.RequestException:  # not up yet, or slow to load
            time.sleep(0.05)
    raise AssertionError("the web server did not come up")


@pytest.fixture(scope="session")
def web(django_db_setup: None) -> Iterator[str]:
    """`host:port` of the real web server on the tests' database."""
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    yield from _serve(DATABASE_URL=url, HOOK_RATE_LIMIT="0")


@pytest.fixture(scope="session")
def _web_behind_a_gate(django_db_setup: None) -> Iterator[tuple[str, Gate]]:
    at = connection.settings_dict
    gate = Gate(str(at["HOST"]), int(at["PORT"]))
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@127.0.0.1:{gate.port}/{at['NAME']}"
    try:
        for where in _serve(DATABASE_URL=url, HOOK_RATE_LIMIT="0"):
            yield where, gate
    finally:
        gate.close()


@pytest.fixture
def web_behind_a_gate(_web_behind_a_gate: tuple[str, Gate]) -> Iterator[tuple[str, Gate]]:
    """`host:port` of the real web server, and the gate between it and the tests' database."""
    where, gate = _web_behind_a_gate
    yield where, gate
    gate.turn(Way.OPEN)
    until = time.monotonic() + 15
    while requests.post(f"http://{where}/hooks/dfire/", data=b"", timeout=20).status_code == 503:
        assert time.monotonic() < until, "it does not find its database again"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def web_without_database() -> Iterator[str]:
    """`host:port` of the real web server with no PostgreSQL and no Redis to talk to."""
    yield from _serve(DATABASE_URL="postgresql://nobody@127.0.0.1:9/none", REDIS_URL="redis://127.0.0.1:9/0")
