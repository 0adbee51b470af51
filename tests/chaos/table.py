"""What a campaign brought: the figures, the table of them, and why it failed if it did."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.chaos.driver import IN_TIME
from tests.chaos.ledgers import Verdict

LEAST_FAULTED = 0.20
LEAST_IN_TIME = 0.25
_SHOWN = 20


@dataclass(kw_only=True)
class Report:
    """One campaign's figures. Times in seconds; `quiet` is None if it never became quiet."""

    planned_operations: int
    planned_breaks: int
    counts: Counter[str]  # by kind: operations that were accepted; and, under other names, whatever else was counted
    kinds: list[str]
    native_transfers: bool = False  # by dfire's own call, else in two steps
    calls: int
    fired: Counter[str]
    breaks: Counter[str]
    starting: float = 0
    load: float = 0
    quiet: float | None = None
    before_our_record: int = 0
    deadlocks: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    errors: list[str] = field(default_factory=list)

    @property
    def operations(self) -> int:
        """How many were accepted."""
        return sum(self.counts[kind] for kind in self.kinds)

    @property
    def faulted(self) -> float:
        """The share of the calls to dfire that went wrong."""
        return self.fired.total() / max(1, self.calls)

    def failures(self) -> list[str]:
        """Why this is no success, in lines for people; hollow runs fail too."""
        found = [*self.errors, *self.verdict.lost, *self.verdict.doubled, *self.verdict.disagreeing]
        if self.quiet is None:
            found.append("it did not become quiet")
        if self.deadlocks:
            found.append(f"{self.deadlocks} deadlocks in PostgreSQL")
        if self.operations < self.planned_operations:
            found.append(f"hollow: {self.operations} operations were accepted instead of {self.planned_operations}")
        if self.breaks.total() < self.planned_breaks:
            found.append(f"hollow: {self.breaks.total()} kills and restarts instead of {self.planned_breaks}")
        if self.faulted < LEAST_FAULTED:
            found.append(f"hollow: {self.faulted:.0%} of the calls went wrong, not {LEAST_FAULTED:.0%}")
        for kind in self.kinds:
            if self.counts[kind + IN_TIME] < LEAST_IN_TIME * self.counts[kind] * kind.endswith("uncertain deliver"):
                found.append(f"hollow: {kind}: {self.counts[kind + IN_TIME]} of {self.counts[kind]} came in time")
        return found

    def print(self) -> None:
        """Print the table, and under it what is wrong."""
        for name, number in self._rows():
            print(f"{name:<52}{number:>10}")
        failures = self.failures()
        for line in failures[:_SHOWN]:
            print(f"FAILED: {line}")
        if len(failures) > _SHOWN:
            print(f"... and {len(failures) - _SHOWN} more")

    def _rows(self) -> Iterable[tuple[str, int | str]]:
        yield "operations", self.operations
        for kind in self.kinds:
            yield f"  {kind}", self.counts[kind]
            if kind + IN_TIME in self.counts:
                yield "    while it was uncertain", self.counts[kind + IN_TIME]
        yield "transfers by", "one call" if self.native_transfers else "two steps"
        yield "callbacks before we knew of the delivery", self.before_our_record
        yield "calls to dfire", self.calls
        yield f"faulted ({self.faulted:.0%})", self.fired.total()
        yield from ((f"  {name}", number) for name, number in sorted(self.fired.items()))
        yield "kills and restarts", self.breaks.total()
        yield from ((f"  {name}", number) for name, number in sorted(self.breaks.items()))
        yield "what callers met besides", ""
        others = self.counts.keys() - {name for kind in self.kinds for name in (kind, kind + IN_TIME)}
        yield from ((f"  {name}", self.counts[name]) for name in sorted(others))
        yield "deadlocks", self.deadlocks
        yield "seconds of starting", round(self.starting)
        yield "seconds of load", round(self.load)
        yield "seconds to quiet", "never" if self.quiet is None else round(self.quiet)
        yield "seconds in all", round(self.starting + self.load + (self.quiet or 0))
        yield "lost", len(self.verdict.lost)
        yield "doubled", len(self.verdict.doubled)
        yield "in disagreement", len(self.verdict.disagreeing)
