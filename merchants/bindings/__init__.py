"""Entering and binding many customers by a file: kept sealed as it came (`storing`), read (`reading`), and judged
against who is known (`judging`).

Carrying it out is `coupons.customer_files`, because binding lets coupons go that waited.
"""

from merchants.bindings.judging import JUDGED, judge, take_in, turn_down_unknown, without_contradictions
from merchants.bindings.reading import EXAMPLE, Entry, entries_of, fault_of
from merchants.bindings.storing import keep, opened, thrown_away

__all__ = [
    "EXAMPLE",
    "JUDGED",
    "Entry",
    "entries_of",
    "fault_of",
    "judge",
    "keep",
    "opened",
    "take_in",
    "thrown_away",
    "turn_down_unknown",
    "without_contradictions",
]
