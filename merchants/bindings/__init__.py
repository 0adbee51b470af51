"""Binding many customers by a file: read, planned without changing anything, kept sealed until somebody says yes.

Applying is `coupons.binding`, because it lets coupons go that waited.
"""

from merchants.bindings.planning import Planned, Verdict, Why, plan
from merchants.bindings.reading import EXAMPLE, MOST_BYTES, MOST_ROWS, Entry, entries_of
from merchants.bindings.sealing import Opened, SealBroken, seal, unseal

__all__ = [
    "EXAMPLE",
    "MOST_BYTES",
    "MOST_ROWS",
    "Entry",
    "Opened",
    "Planned",
    "SealBroken",
    "Verdict",
    "Why",
    "entries_of",
    "plan",
    "seal",
    "unseal",
]
