"""What stands behind `make`: it installs only what changed, and says what is missing or stale."""

from pathlib import Path

import polib
import pytest

from config.tooling import browser, environment, translations
from config.tooling.terminal import Failed, Outcome, step
from tests.plugin import own_redis_database


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A checkout without `.venv`, whose steps are written down and succeed."""
    taken: list[str] = []

    def pretend(label: str, command: list[str], **kwargs: object) -> Outcome:
        taken.append(label)
        environment.PYTHON.parent.mkdir(parents=True, exist_ok=True)
        environment.PYTHON.touch()
        return Outcome(0, "")

    for name in environment.FOR_TESTS:
        (tmp_path / name).write_text("django\n")
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "installed.json")
    monkeypatch.setattr(environment, "_runs", lambda code: environment.PYTHON.exists())
    monkeypatch.setattr(environment, "step", pretend)
    return taken


def test_packages_are_installed_once_and_again_when_a_file_changed(steps: list[str], tmp_path: Path) -> None:
    environment.ensure(environment.FOR_RUN)
    assert steps == ["Making .venv", "Installing requirements.txt into .venv"]
    environment.ensure(environment.FOR_RUN)
    assert len(steps) == 2
    environment.ensure(environment.FOR_TESTS)
    environment.ensure(environment.FOR_RUN)
    environment.ensure(environment.FOR_TESTS)
    assert steps[2:] == ["Installing requirements-dev.txt into .venv"]
    (tmp_path / "requirements.txt").write_text("django\nredis\n")
    environment.ensure(environment.FOR_TESTS)
    assert steps[3:] == ["Installing requirements-dev.txt into .venv"]


def test_a_python_without_ensurepip_is_told_the_debian_package(
    steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(environment.os, "geteuid", lambda: 1000)
    with pytest.raises(Failed, match=r"ensurepip is missing(.|\n)*apt-get install python3\.\d+-venv"):
        environment.ensure(environment.FOR_RUN)


def test_a_missing_browser_is_explained_to_those_who_cannot_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browser, "CHROMIUM", tmp_path / "chromium")
    monkeypatch.setattr(browser.os, "geteuid", lambda: 1000)
    browser.ensure()
    assert "browser tests are skipped" in capsys.readouterr().out


def test_a_failed_step_keeps_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    done = step("Failing", ["/bin/sh", "-c", "echo why; exit 3"], log=log)
    assert done == Outcome(3, "why\n")
    assert log.read_text() == "why\n"


def test_a_cancelled_step_ends(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="Stopped"):
        step("Long", ["sleep", "600"], log=tmp_path / "step.log", cancelled=lambda: True)


def test_a_translation_that_was_not_compiled_is_found(tmp_path: Path) -> None:
    source = tmp_path / "django.po"
    texts = polib.POFile()
    texts.metadata = {"Content-Type": "text/plain; charset=utf-8"}
    texts.append(polib.POEntry(msgid="Coupon", msgstr="优惠券"))
    texts.save(str(source))
    assert not translations.is_current(source)
    texts.save_as_mofile(str(source.with_suffix(".mo")))
    assert translations.is_current(source)
    texts[0].msgstr = "券"
    texts.save(str(source))
    assert not translations.is_current(source)


def test_each_test_process_has_a_redis_database_of_its_own() -> None:
    assert own_redis_database("redis://:p@127.0.0.1:6379/0", "gw0") == "redis://:p@127.0.0.1:6379/1"
    assert own_redis_database("redis://127.0.0.1:6379", "gw3") == "redis://127.0.0.1:6379/4"
