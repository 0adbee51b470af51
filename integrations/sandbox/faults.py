"""The misbehaviour that was ordered: rules, when they fire, and how often they did.

Which rule fires is decided by a seeded random source, so that a test run can be repeated. What a fault then
looks like on the wire is `misbehaviour`'s concern.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DELAYS = ("latency", "latency_after")
BEFORE = ("drop_before", "http_500", "garbage", "html_502", "busy", "refuse", "bad_signature", "rate_limited")
AFTER = ("drop_after", "http_500_after", "garbage_after", "truncated_after", "empty_after")
KINDS = (*DELAYS, *BEFORE, *AFTER)
EVERY_METHOD = "*"  # of the router; what the platform plays is named for itself
TOKEN, CONSUME = "platform.token", "platform.consume"
PLATFORM_METHODS = (TOKEN, CONSUME)
RULE_FIELDS = frozenset(
    ("method", "fault", "probability", "times", "latency_ms", "code", "message", "where"),
)
MAX_LATENCY_MS = 120_000
DEFAULT_SEED = 7


class BadRule(ValueError):
    """A rule that cannot be understood; the message names the field."""


@dataclass(slots=True)
class Rule:
    """One order: which calls, which fault, how likely, how often at most."""

    method: str
    fault: str
    probability: float = 1.0
    times: int | None = None
    latency_ms: int = 0
    code: str = ""
    message: str = ""
    where: dict[str, str] = field(default_factory=dict)
    id: int = 0
    fired: int = 0

    def matches(self, method: str, params: Mapping[str, str]) -> bool:
        """Whether this call is meant, and the rule is not used up."""
        named = (method,) if method in PLATFORM_METHODS else (EVERY_METHOD, method)
        if self.method not in named or (self.times is not None and self.fired >= self.times):
            return False
        return all(params.get(name, "").strip() == value for name, value in self.where.items())

    def shown(self) -> dict[str, Any]:
        """The rule as the control API prints it."""
        return {
            "id": self.id,
            "method": self.method,
            "fault": self.fault,
            "probability": self.probability,
            "times": self.times,
            "latency_ms": self.latency_ms,
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "fired": self.fired,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to happen to one call. Delays in milliseconds."""

    kind: str = ""
    delay_before_ms: int = 0
    delay_after_ms: int = 0
    code: str = ""
    message: str = ""
    label: str = ""


NOTHING = Verdict()


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._seed = DEFAULT_SEED
        self._random = random.Random(DEFAULT_SEED)  # nosec B311 # repeatable on purpose
        self._last_id = 0

    def replace(self, rules: list[Rule], seed: int = DEFAULT_SEED) -> None:
        """Put these rules in force instead of all others and start the random source anew."""
        with self._lock:
            self._rules = []
            self._seed, self._random = seed, random.Random(seed)  # nosec B311 # spreads load, no secret
            for rule in rules:
                self._append(rule)

    def add(self, rule: Rule) -> None:
        """Put one more rule in force."""
        with self._lock:
            self._append(rule)

    def remove(self, rule_id: int) -> None:
        """Take one rule out."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule.id != rule_id]

    def report(self) -> dict[str, Any]:
        """The seed, and every rule with how often it fired."""
        with self._lock:
            return {"seed": self._seed, "rules": [rule.shown() for rule in self._rules]}

    def pick(self, method: str, params: Mapping[str, str]) -> Verdict:
        """Decide on one call: all delays that fire add up, the first other fault that fires is done."""
        if not self._rules:
            return NOTHING
        with self._lock:
            return self._pick(method, params)

    def _append(self, rule: Rule) -> None:
        self._last_id += 1
        rule.id = self._last_id
        self._rules.append(rule)

    def _pick(self, method: str, params: Mapping[str, str]) -> Verdict:
        before = after = 0
        chosen: Rule | None = None
        labels: list[str] = []
        for rule in self._rules:
            if chosen is not None and rule.fault not in DELAYS:
                continue
            if not rule.matches(method, params):
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            rule.fired += 1
            labels.append(rule.fault)
            if rule.fault == "latency_after":
                after += rule.latency_ms
            else:
                before += rule.latency_ms
            if rule.fault not in DELAYS:
                chosen = rule
        return Verdict(
            kind=chosen.fault if chosen else "",
            delay_before_ms=before,
            delay_after_ms=after,
            code=chosen.code if chosen else "",
            message=chosen.message if chosen else "",
            label="+".join(labels),
        )


def read_rule(data: Any) -> Rule:
    """Read a rule from the control API or the form; raises BadRule."""
    if not isinstance(data, dict):
        raise BadRule("rules: each must be an object")
    unknown = set(data) - RULE_FIELDS
    if unknown:
        raise BadRule(f"unknown field: {', '.join(sorted(map(str, unknown)))}")
    if data.get("fault") not in KINDS:
        raise BadRule(f"fault: one of {', '.join(KINDS)}")
    where = {} if data.get("where") is None else data["where"]
    if not isinstance(where, dict):
        raise BadRule("where: an object of parameter names and values")
    times = data.get("times")
    return Rule(
        method=str(data.get("method") or EVERY_METHOD),
        fault=data["fault"],
        probability=_number("probability", data.get("probability", 1.0), 0, 1),
        times=None if times is None else int(_number("times", times, 0, 1_000_000_000)),
        latency_ms=int(_number("latency_ms", data.get("latency_ms", 0), 0, MAX_LATENCY_MS)),
        code=str(data.get("code") or ""),
        message=str(data.get("message") or ""),
        where={str(name): str(value).strip() for name, value in where.items()},
    )


def _number(name: str, value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadRule(f"{name}: a number from {least} to {most}")
    return value
