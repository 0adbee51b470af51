"""The client's own ledger: what callers of every kind were told, and so may rely on."""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field

RECENT = 2000  # operations choose among so many of the latest codes
FRESH = 40  # but not among the very latest, which are still on their way


@dataclass
class Promises:
    """Accepted answers, gathered by drivers that work side by side.

    `holders` names by code the customers any of whom may hold it: one, or two where a transfer was never answered.
    `owners` names the customer of every openid that was ever bound. `unanswered` are customers to whom staff issued
    without getting an answer: each may have one coupon that nobody was told of. `twice` are codes that were given as
    new to two callers.
    """

    holders: dict[str, set[str]] = field(default_factory=dict)
    redeemed: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    transferred: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    twice: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _codes: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def given(self, code: str, identifier: str) -> None:
        """A caller was told that the customer has this coupon."""
        with self._lock:
            if code in self.holders:
                self.twice.append(code)
            self._codes.append(code)
            self.holders[code] = {identifier}

    def may_hold(self, code: str, identifiers: set[str]) -> None:
        """The coupon was given on, or may have been."""
        with self._lock:
            self.holders[code] = identifiers

    def bound(self, openid: str, identifier: str) -> None:
        """An openid is going to be a customer's. Noted beforehand: an unanswered binding may have happened."""
        with self._lock:
            self.owners[openid] = identifier

    def told(self, codes: set[str], code: str) -> None:
        """Add a code to one of the sets."""
        with self._lock:
            codes.add(code)

    def count(self, what: str) -> None:
        """Count something that happened."""
        with self._lock:
            self.counts[what] += 1

    def some_code(self, rng: random.Random, *, untouched: bool = False) -> str | None:
        """A code that is most likely held: neither redeemed nor revoked; `untouched`: never given on, and now it is."""
        with self._lock:
            few = len(self._codes) <= 2 * FRESH
            choice = self._codes if few else self._codes[-RECENT:-FRESH]
            for _ in range(20 if choice else 0):
                code = rng.choice(choice)
                if code in self.redeemed or code in self.revoked or (untouched and code in self.transferred):
                    continue
                if untouched:
                    self.transferred.add(code)
                return code
        return None
