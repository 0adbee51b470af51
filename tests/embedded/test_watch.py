"""`make run` keeps its parts alive, gives up with words where that is hopeless, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.embedded import state
from config.embedded.places import CHECKOUT, Place
from config.embedded.processes import Process, wait_until

SCRIPT = Path(__file__).with_name("small_portal.py")
# Starts a child of its own that does not mind SIGTERM, and writes down both their numbers.
PARENT = """
import os, subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", stubborn])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(place: Place) -> Iterator[Start]:
    started = []

    def _start(*parts: str, embedded: str = "-") -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(place.var), embedded, *parts],
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        process.terminate()  # a killed one could not end its grandchildren
        process.wait(15)
        process.stdout.close()


def _numbers(place: Place, name: str, *, lines: int = 1) -> list[int]:
    """The process numbers that a part wrote into its log."""
    log = place.logs / f"{name}.log"
    assert wait_until(lambda: log.exists() and log.read_text().count("\n") >= lines, seconds=10)
    return [int(word) for word in log.read_text().splitlines()[lines - 1].split()]


def _gone(numbers: list[int], *, seconds: float = 5) -> bool:
    return wait_until(lambda: not any(Process.of(number).alive() for number in numbers), seconds=seconds)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_children_and_grandchildren(start: Start, place: Place, number: signal.Signals) -> None:
    process = start(f"web={PARENT}")
    family = _numbers(place, "web")
    process.send_signal(number)
    assert process.wait(10) == 0
    assert _gone(family)


def test_one_ctrl_c_that_arrives_twice_is_still_polite(start: Start, place: Place) -> None:
    process = start(f"web={PARENT}")
    _numbers(place, "web")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_a_second_ctrl_c_kills(start: Start, place: Place) -> None:
    process = start(f"worker={DEAF}")
    family = _numbers(place, "worker")
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert time.monotonic() - begun < 3
    assert _gone(family)


def test_a_killed_supervisor_leaves_nothing_behind(start: Start, place: Place) -> None:
    process = start("web=import os, time; print(os.getpid(), flush=True); time.sleep(600)", embedded="redis")
    family = [*_numbers(place, "web"), state.load(place)["redis"].process.pid]
    process.kill()
    assert _gone(family)


def test_a_dead_child_is_started_again_and_that_is_said(start: Start, place: Place) -> None:
    process = start("web=import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    (first,) = _numbers(place, "web")
    os.kill(first, signal.SIGKILL)
    (second,) = _numbers(place, "web", lines=2)
    assert second != first
    process.terminate()
    said, _ = process.communicate(timeout=10)
    assert "web killed by SIGKILL; starting it again" in said


def test_grandchildren_of_a_dead_child_are_ended_before_it_starts_again(start: Start, place: Place) -> None:
    start(f"web={PARENT}")
    first, grandchild = _numbers(place, "web")
    os.kill(first, signal.SIGKILL)
    _numbers(place, "web", lines=2)
    assert _gone([grandchild])


def test_a_child_that_dies_again_and_again_ends_the_run_with_its_last_lines(start: Start, place: Place) -> None:
    process = start(f"web={PARENT}", "beat=raise SystemExit('the schedule is missing')")
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert said.count("starting it again") == 4
    end = said.split("for the 5th time within a minute")[1]
    assert "the schedule is missing" in end
    assert str(place.logs / "beat.log") in end
    assert _gone(_numbers(place, "web"))


def test_an_embedded_server_that_died_is_started_again(start: Start, place: Place) -> None:
    process = start(embedded="postgres,redis")
    assert wait_until(lambda: len(state.load(place)) == 2, seconds=20)
    first = state.load(place)["postgres"]
    os.kill(first.process.pid, signal.SIGKILL)
    assert wait_until(lambda: state.load(place)["postgres"].process != first.process, seconds=20)
    assert state.load(place)["postgres"].port == first.port
    process.terminate()
    assert process.wait(15) == 0
    assert state.load(place) == {}
