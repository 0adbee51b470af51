"""A campaign that is hollow, or stumbles, is no success, whatever the ledgers say."""

from collections import Counter
from typing import Any

import pytest

from tests.chaos.driver import IN_TIME
from tests.chaos.ledgers import Verdict
from tests.chaos.table import Report

AIMED = "revoke behind an uncertain deliver"


def report(**other: Any) -> Report:
    """A good one, spoilt by whatever is named."""
    good: dict[str, Any] = {
        "planned_operations": 100,
        "planned_breaks": 3,
        "counts": Counter({"push": 90, AIMED: 10, AIMED + IN_TIME: 9, "push: no answer": 7}),
        "kinds": ["push", AIMED],
        "calls": 100,
        "fired": Counter(drop_after=25),
        "breaks": Counter({"web killed": 3}),
        "quiet": 12.0,
    }
    return Report(**{**good, **other})


def test_a_whole_campaign_succeeds_and_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    good = report()
    assert good.failures() == []
    good.print()
    lines = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    assert {"operations 100", "faulted (25%) 25", "kills and restarts 3", "seconds to quiet 12", "lost 0"} <= lines


@pytest.mark.parametrize(
    "spoilt",
    [
        {"verdict": Verdict(lost=["x"])},
        {"verdict": Verdict(doubled=["x"])},
        {"verdict": Verdict(disagreeing=["x"])},
        {"quiet": None},
        {"deadlocks": 1},
        {"errors": ["a driver fell over"]},
        {"fired": Counter(drop_after=19)},
        {"breaks": Counter({"web killed": 2})},
        {"counts": Counter({"push": 89, AIMED: 10, AIMED + IN_TIME: 10})},
        {"counts": Counter({"push": 90, AIMED: 10, AIMED + IN_TIME: 2})},
        {"calls": 0, "fired": Counter()},
    ],
)
def test_what_is_wrong_or_hollow_fails(spoilt: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    bad = report(**spoilt)
    assert len(bad.failures()) == 1
    bad.print()
    assert "FAILED: " in capsys.readouterr().out
