"""What a benchmark found: a ratio against a floor of the same run, the median of several, and the reach aimed at."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

RESULTS = "BENCH_RESULTS"
"""The environment's name of the file to which each figure is appended as a line of JSON (`python -m tests.bench`)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    `row` is the number of the work in docs/benchmarks.md; `ratios` one for each run. With `at_most` the reach is an
    upper bound (times that must not grow), else a lower one. `said` tells absolute figures: of this machine and hour.
    """

    row: int
    work: str
    floor: str
    ratios: list[float]
    reach: float
    at_most: bool = False
    said: str = ""

    @property
    def ratio(self) -> float:
        """The median of the runs."""
        return median(self.ratios)

    @property
    def met(self) -> bool:
        """Whether the median reaches what was meant."""
        return self.ratio <= self.reach if self.at_most else self.ratio >= self.reach

    def __str__(self) -> str:
        runs = ", ".join(f"{one:.2f}" for one in self.ratios)
        bound = f"{'at most' if self.at_most else 'at least'} {self.reach:g}"
        verdict = "met" if self.met else "NOT MET"
        return f"{self.row}  {self.work}: {self.ratio:.2f} of {self.floor} ({runs}); {bound}: {verdict}. {self.said}"


def tell(figure: Figure) -> None:
    """Print it, and keep it for the table if one is being made."""
    print(figure, flush=True)
    if path := os.environ.get(RESULTS):
        with Path(path).open("a") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def read(path: Path) -> Sequence[Figure]:
    """The figures that were told, in the order of their rows."""
    return sorted((Figure(**json.loads(line)) for line in path.read_text().splitlines()), key=lambda one: one.row)
