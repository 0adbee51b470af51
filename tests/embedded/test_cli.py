"""`python manage.py embedded start|stop|status` needs no configuration, and its exit codes mean something."""

import os
import subprocess
import sys

import pytest

from config import embedded
from config.embedded.places import CHECKOUT, Place


def test_start_status_stop(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert embedded.main(["status"], place) == 3
    assert embedded.main(["start"], place) == 0
    urls = embedded.running(place)
    assert urls is not None
    said = capsys.readouterr().out
    assert f"DATABASE_URL={urls.database_url}\nREDIS_URL={urls.redis_url}\n" in said
    assert str(place.control) in said
    assert embedded.main(["start"], place) == 0
    assert "already run" in capsys.readouterr().out
    assert embedded.main(["status"], place) == 0
    assert embedded.main(["stop"], place) == 0
    assert embedded.running(place) is None
    assert embedded.main(["stop"], place) == 0
    assert embedded.main(["status"], place) == 3


@pytest.mark.parametrize("arguments", [[], ["begin"], ["start", "now"]])
def test_an_unknown_word_is_answered_with_the_usage(
    place: Place, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert embedded.main(arguments, place) == 2
    assert "start|stop|status" in capsys.readouterr().err


def test_the_message_for_missing_servers_names_variables_and_command() -> None:
    for word in ("DATABASE_URL", "REDIS_URL", "python manage.py embedded start"):
        assert word in embedded.NOT_RUNNING


def test_status_needs_no_settings() -> None:
    bare = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "manage.py", "embedded", "status"]
    done = subprocess.run(command, cwd=CHECKOUT, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3)
    assert done.stdout.startswith("postgres: ")
    assert done.stderr == ""


def test_reading_the_state_needs_the_standard_library_alone() -> None:
    command = [sys.executable, "-S", "-c", "from config import embedded; embedded.running()"]
    assert subprocess.run(command, cwd=CHECKOUT, check=False).returncode == 0
