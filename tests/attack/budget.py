"""How many inputs there are, and which.

CI draws the same ones in every run: it judges a change of the code, and must not turn red because of a draw that the
change has nothing to do with. `make fuzz` draws new ones, FUZZ_INPUTS of them in all, and prints for each failure the
line that repeats it.
"""

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, settings

PROPERTY = "inputs sent"  # of a test, by which `tests.plugin` sums them up
CI_INPUTS = 20_000  # at least, in all of tests/attack
FUZZ_INPUTS = int(os.environ.get("FUZZ_INPUTS", "0"))
SHARES: Counter[str] = Counter()  # inputs by test, as they are planned
_used: Counter[str] = Counter()


def tries(name: str, count: int, times: int = 1) -> Any:
    """`settings` for so many inputs in CI, and for their share of FUZZ_INPUTS in `make fuzz`.

    Args:
        times: how often the test is run with as many, for each of its parameters.
    """
    SHARES[name] += count * times
    return settings(
        max_examples=-(-count * FUZZ_INPUTS // CI_INPUTS) if FUZZ_INPUTS else count,
        deadline=None,
        database=None,
        derandomize=not FUZZ_INPUTS,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def sent(name: str) -> None:
    """Count an input that is sent."""
    _used[name] += 1


def taken() -> int:
    """How many were sent since this was asked last."""
    total = _used.total()
    _used.clear()
    return total


def told(reports: Iterable[Any]) -> int:
    """How many inputs the reports of tests tell of."""
    calls = [report for report in reports if getattr(report, "when", "") == "call"]
    properties = [prop for report in calls for prop in report.user_properties]
    return sum(value for name, value in properties if name == PROPERTY)
