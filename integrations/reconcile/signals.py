"""What others may want to know of a reconciliation.

Sent after the commit that makes it true; the keyword arguments are named beside it.
"""

from django.dispatch import Signal

# merchant: Merchant, run: Reconciliation, counts: dict[str, int] - open findings by kind (`Drift`), when a plan has
# been made and when nothing of it is open any more; an empty dict = all agrees.
drift_found = Signal()
