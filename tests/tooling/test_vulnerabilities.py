"""What is known of vulnerable packages is told as it is; that nothing could be found out is no clean bill of health."""

from typing import Any

import pytest

from config.tooling import checks, vulnerabilities
from config.tooling.terminal import Outcome

GOOD = {"name": "django", "version": "5.2.19", "vulns": []}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "GHSA-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "own", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([GOOD], 0, ""),
        ([GOOD, BAD], 1, "old 1.0: GHSA-1, mended in 1.1"),
        ([BAD, UNKNOWN], 1, "GHSA-1"),
        ([GOOD, UNKNOWN], 0, "not checked, for the service does not know them: own"),
    ],
)
def test_what_the_service_says_is_told(
    packages: list[dict[str, Any]], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vulnerabilities.told(packages) == code
    assert words in capsys.readouterr().out


def test_without_a_service_it_is_said_that_nothing_was_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert vulnerabilities.main("http://127.0.0.1:9/{}") == 0
    assert capsys.readouterr().out.startswith("not checked: no service reachable")


@pytest.mark.parametrize(
    ("code", "output", "words"),
    [
        (0, "", "All checks are fine."),
        (1, "old 1.0: GHSA-1", "Checks failed: One"),
        (0, "not checked: no service", "All checks are fine, but this could not be checked here: One"),
    ],
)
def test_what_could_not_be_checked_is_told_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, output: str, words: str
) -> None:
    monkeypatch.setattr(checks, "CHECKS", {"One": ["-c", ""]})
    monkeypatch.setattr(checks, "step", lambda *_words, **_named: Outcome(code, output))
    assert checks.run() == code
    said = capsys.readouterr().out
    assert output in said
    assert said.splitlines()[-1] == words
