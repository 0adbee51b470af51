"""What `make run` tells its children: the user's words first, keys made once, ports checked."""

import socket
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.supervisor import children
from config.supervisor.children import Child, Deaths
from config.supervisor.environment import addresses, check_ports, has_sandbox, run_environment
from config.tooling.terminal import Failed


def _environment(tmp_path: Path, **own: str) -> dict[str, str]:
    return run_environment(own, tmp_path / "run.env", addresses(own))


def test_a_portal_for_trying_out_has_a_sandbox_and_no_second_factor(tmp_path: Path) -> None:
    told = _environment(tmp_path)
    assert (told["DEBUG"], told["DFIRE_SANDBOX"], told["REQUIRE_TWO_FACTOR"]) == ("off", "on", "off")
    assert has_sandbox(told)
    assert told["PORTAL_URL"] == "http://127.0.0.1:8000"
    Fernet(told["FIELD_ENCRYPTION_KEYS"])


def test_keys_are_kept_and_nobody_else_can_read_them(tmp_path: Path) -> None:
    first, second = _environment(tmp_path), _environment(tmp_path)
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["FIELD_ENCRYPTION_KEYS"] == second["FIELD_ENCRYPTION_KEYS"]
    assert stat.S_IMODE((tmp_path / "run.env").stat().st_mode) == 0o600


def test_the_users_own_values_win(tmp_path: Path) -> None:
    told = _environment(tmp_path, DEBUG="on", SECRET_KEY="mine", DFIRE_SANDBOX="off", MAKEFLAGS="w")
    assert (told["DEBUG"], told["SECRET_KEY"]) == ("on", "mine")
    assert not has_sandbox(told)
    assert "MAKEFLAGS" not in told


def test_the_users_hosts_are_added_to_the_local_ones(tmp_path: Path) -> None:
    told = _environment(tmp_path, ALLOWED_HOSTS="shop.example, 127.0.0.1", HOST="192.0.2.7")
    assert told["ALLOWED_HOSTS"] == "localhost,127.0.0.1,[::1],192.0.2.7,shop.example"


@pytest.mark.parametrize("wrong", [{"PORT": "http"}, {"SANDBOX_PORT": "70000"}, {"HOST": "my-laptop"}])
def test_an_address_that_makes_no_sense_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(Failed, match=next(iter(wrong))):
        addresses(wrong)


@pytest.mark.parametrize("variable", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_named_with_the_way_to_move_it(variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(Failed, match=f"Port {taken} is taken.*{variable}="):
            check_ports(addresses({"PORT": "18765", "SANDBOX_PORT": "18766", variable: str(taken)}), sandbox=True)


def test_the_pauses_between_starts_grow_and_the_fifth_death_in_a_minute_is_hopeless() -> None:
    deaths = Deaths()
    pauses = []
    for second in range(5):
        assert not deaths.hopeless
        deaths.count(float(second))
        pauses.append(deaths.pause)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert deaths.hopeless
    assert deaths.count(200.0) == 1


def test_a_log_is_bounded_and_begins_anew_at_each_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LOG_BYTES", 10_000)
    log = tmp_path / "web.log"
    log.write_text("of the last run\n")
    child = Child("web", ["/bin/sh", "-c", "seq 100000 100999; seq 1000 1999"], {}, log)
    child.start()
    while child.drain():
        pass
    child.bury()
    assert log.read_text().endswith("1999\n")
    assert log.stat().st_size <= 10_000
    assert sorted(file.name for file in tmp_path.iterdir()) == ["web.log", "web.log.1"]
    assert child.last_lines(2).split() == ["1998", "1999"]
