"""The way in of every `make` goal: has the virtual environment ready, then hands over to what was asked for.

Runs on the system's Python with the standard library alone.
"""

import os
import subprocess  # nosec B404 # our own commands, none of it from outside
import sys
from collections.abc import Callable

from config.embedded import EmbeddedError
from config.embedded.places import CHECKOUT
from config.tooling import axe, browser, checks, clean, environment
from config.tooling.terminal import Failed, say


def _run(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_RUN)
    return _become("-m", "config.supervisor", *arguments)


def _manage(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_RUN)
    return _become("-m", "config.supervisor", "manage", *arguments)


def _test(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    browser.ensure()
    axe.ensure()
    processes = max(2, min(8, len(os.sched_getaffinity(0))))
    side_by_side = ["-m", "pytest", "-n", str(processes), "--dist", "loadgroup"]
    if arguments:
        return _become(*side_by_side, *arguments)
    sys.stdout.flush()
    done = subprocess.run([environment.PYTHON, *side_by_side, "-m", "not e2e"], check=False)  # nosec B603 # our own commands
    # What runs the portal's real processes runs alone: it promises seconds.
    return done.returncode or _become("-m", "pytest", "-m", "e2e")


def _chaos(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    return _become("-m", "tests.chaos.campaign", *arguments)


def _bench(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    return _become("-m", "tests.bench", *arguments)


def _screenshots(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    browser.ensure()
    return _become("-m", "tests.screenshots", *arguments)


def _check(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    return checks.run()


def _format(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    script = f"'{environment.PYTHON}' -m ruff check --fix --quiet . ; exec '{environment.PYTHON}' -m ruff format ."
    os.execv("/bin/sh", ["/bin/sh", "-c", script])  # nosec B606 # our own words


def _translations(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    return _become("-m", "config.tooling.translations", *arguments)


def _openapi(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    os.environ.update(checks.SETTINGS)
    return _become("-m", "config.tooling.openapi", *arguments)


def _fuzz(arguments: list[str]) -> int:
    environment.ensure(environment.FOR_TESTS)
    os.environ.update(checks.SETTINGS | {"DJANGO_SETTINGS_MODULE": "config.settings"})
    return _become("-m", "tests.api.fuzzing", *arguments)


def _clean(arguments: list[str]) -> int:
    return clean.run()


GOALS: dict[str, Callable[[list[str]], int]] = {
    "run": _run,
    "manage": _manage,
    "test": _test,
    "chaos": _chaos,
    "bench": _bench,
    "screenshots": _screenshots,
    "check": _check,
    "format": _format,
    "translations": _translations,
    "openapi": _openapi,
    "fuzz": _fuzz,
    "clean": _clean,
}


def _become(*arguments: str) -> int:
    """Go on as the virtual environment's Python, in this same process: signals reach it directly."""
    sys.stdout.flush()
    os.execv(environment.PYTHON, [str(environment.PYTHON), *arguments])  # nosec B606 # our own words


def main(arguments: list[str]) -> int:
    """Reach one goal and return the exit code."""
    os.chdir(CHECKOUT)
    try:
        return GOALS[arguments[0]](arguments[1:])
    except (Failed, EmbeddedError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted.")
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
