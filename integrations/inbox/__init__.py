"""The inbox: a redemption told by dfire is written down first, then applied; what cannot be applied yet stays open.

Open ones are tried again when their coupon appears and by the clock, and staff decide by hand what never fits and what
was redeemed too late. Nothing is dropped.
"""

from integrations.inbox.deciding import apply_by_hand, settle_by_hand
from integrations.inbox.retrying import appeared, retry_open, try_again
from integrations.inbox.suggestions import Suggestion
from integrations.inbox.taking import LONGEST_ID, Redemption, list_late, take

__all__ = [
    "LONGEST_ID",
    "Redemption",
    "Suggestion",
    "appeared",
    "apply_by_hand",
    "list_late",
    "retry_open",
    "settle_by_hand",
    "take",
    "try_again",
]
