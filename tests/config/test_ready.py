"""`/readyz` tells the truth, in time, whatever is wrong; `/healthz` asks nobody. Real servers, stopped and frozen."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests
from redis import Redis as Client

from config.embedded.places import CHECKOUT, Place
from config.embedded.postgres import Postgres
from config.embedded.redis import Redis
from config.embedded.servers import Servers
from tests.e2e.portal import free_port, until

pytestmark = pytest.mark.xdist_group("ready")
IN_TIME_SECONDS = 2.5  # 1.5 promised, and a machine that is busy with other tests


class Portal:
    """A web process with servers of its own."""

    def __init__(self, folder: Path) -> None:
        self.servers = Servers(Place(folder / "var"), durable=False, say=lambda words: None)
        running = self.servers.start()
        self.database_url, self.redis_url = running["postgres"].url, running["redis"].url
        self.log = folder / "web.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
        }

    def migrate(self) -> None:
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=CHECKOUT, env=self.environment, check=True
        )

    @contextmanager
    def web(self, **changes: str) -> Iterator[str]:
        """The address of a web process; `changes` to its environment."""
        port = free_port()
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--blocking-threads", "2"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*command, "--port", str(port), "config.wsgi:application"],
                cwd=CHECKOUT, env=self.environment | changes, stdout=log, stderr=log,
            )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            until(lambda: _answers(url), seconds=40)
            yield url
        finally:
            process.terminate()
            process.wait(10)

    def pids(self, name: str) -> list[int]:
        """A server's process and its children."""
        first = self.servers.start()[name].process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """The server accepts connections (the kernel does), and answers nothing."""
        pids = self.pids(name)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    """Servers with a migrated database."""
    folder = Path(tempfile.mkdtemp(prefix="coupon-ready-", dir="/tmp"))
    folder.chmod(0o711)
    (folder / "var").mkdir(mode=0o711)
    made = Portal(folder)
    try:
        made.migrate()
        yield made
    finally:
        made.servers.stop(at_once=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def web(portal: Portal) -> Iterator[str]:
    """One web process for all of them."""
    with portal.web() as url:
        yield url


def ready(url: str) -> tuple[int, dict[str, str], dict[str, str]]:
    """Status, checks and reasons; asked in time, and while `/healthz` is well."""
    time.sleep(1.1)  # what was found before is kept for a second
    began = time.monotonic()
    answer = requests.get(f"{url}/readyz", timeout=10)
    assert time.monotonic() - began < IN_TIME_SECONDS
    assert requests.get(f"{url}/healthz", timeout=0.5).json() == {"status": "ok"}
    body = answer.json()
    assert (body["status"] == "ok") is (answer.status_code == 200)
    return answer.status_code, body["checks"], body.get("reasons", {})


FINE = {"database": "ok", "migrations": "ok", "broker": "ok"}


def test_all_is_well(web: str) -> None:
    assert ready(web) == (200, FINE, {})


def test_a_stopped_redis_is_named_and_the_rest_is_fine(portal: Portal, web: str) -> None:
    assert portal.servers.start()["redis"].process.end(Redis.abort)
    try:
        status, checks, reasons = ready(web)
    finally:
        portal.servers.start()
    assert (status, checks) == (503, FINE | {"broker": "down"})
    assert "refuses the connection" in reasons["broker"]
    assert ready(web)[0] == 200


def test_a_stopped_postgresql_is_named_and_it_is_well_again_once_it_runs(portal: Portal, web: str) -> None:
    assert ready(web)[0] == 200
    assert portal.servers.start()["postgres"].process.end(Postgres.abort)
    try:
        status, checks, reasons = ready(web)
    finally:
        portal.servers.start()
    assert (status, checks) == (503, {"database": "down", "migrations": "unknown", "broker": "ok"})
    assert "refuses the connection" in reasons["database"]
    until(lambda: ready(web)[0] == 200, seconds=20)


@pytest.mark.parametrize(("server", "part"), [("postgres", "database"), ("redis", "broker")])
def test_a_server_that_accepts_and_says_nothing_is_down_in_time(
    portal: Portal, web: str, server: str, part: str
) -> None:
    assert ready(web)[0] == 200
    with portal.frozen(server):
        for _ in range(3):
            status, checks, reasons = ready(web)
            assert (status, checks[part], reasons[part]) == (503, "down", "does not answer")
    until(lambda: ready(web)[0] == 200, seconds=20)


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL"])
def test_a_black_hole_is_down_in_time(portal: Portal, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:  # the kernel accepts, nobody reads
        at = f"127.0.0.1:{hole.getsockname()[1]}"
        url = {"DATABASE_URL": f"postgresql://u:p@{at}/n", "REDIS_URL": f"redis://{at}/0"}[variable]
        with portal.web(**{variable: url}) as web:
            part = "database" if variable == "DATABASE_URL" else "broker"
            for _ in range(2):
                status, checks, reasons = ready(web)
                assert (status, checks[part], reasons[part]) == (503, "down", "does not answer")


def test_what_is_wrong_is_said_without_names_or_passwords(portal: Portal) -> None:
    wrong = portal.database_url.replace("@", "-wrong-pa55word@")
    with portal.web(DATABASE_URL=wrong, REDIS_URL=portal.redis_url.replace("@", "-wrong-pa55word@")) as web:
        status, checks, reasons = ready(web)
        assert status == 503
        assert reasons == {
            "database": "refuses the user name or password",
            "broker": "refuses the user name or password",
        }
        assert set(checks) == set(FINE)


def test_a_migration_that_has_not_run_is_named(portal: Portal, web: str) -> None:
    latest = ("integrations", "0005_outbox_origin")
    with psycopg.connect(portal.database_url, autocommit=True) as connection:
        where = " WHERE app = %s AND name = %s"
        connection.execute("DELETE FROM django_migrations" + where, latest)
        try:
            status, checks, reasons = ready(web)
        finally:
            connection.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())", latest)
    assert (status, checks) == (503, FINE | {"migrations": "pending"})
    assert "integrations.0005_outbox_origin" in reasons["migrations"]


def test_a_newer_releases_migrations_do_no_harm(portal: Portal, web: str) -> None:
    with psycopg.connect(portal.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('integrations', '9999_of_tomorrow', now())"
        )
        assert ready(web)[0] == 200


def test_a_database_that_takes_no_writes_is_down(portal: Portal, web: str) -> None:
    with psycopg.connect(portal.database_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connection.execute("SELECT pg_reload_conf()")
        try:
            status, checks, reasons = ready(web)
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")
    assert (status, checks["database"]) == (503, "down")
    assert "takes no writes" in reasons["database"]


def test_a_redis_that_is_full_is_down(portal: Portal, web: str) -> None:
    with Client.from_url(portal.redis_url) as client:
        client.config_set("maxmemory", "1")
        try:
            status, checks, reasons = ready(web)
        finally:
            client.config_set("maxmemory", "0")
    assert (status, checks["broker"], reasons["broker"]) == (503, "down", "is out of memory")
