"""How much a plan may take away from customers before it stops and asks."""

from django.conf import settings


def withdraws_too_much(withdrawals: int, outstanding: int) -> bool:
    """Whether so many withdrawals are more than RECONCILE_MAX_WITHDRAW_PERCENT of what is outstanding at dfire."""
    return withdrawals * 100 > settings.RECONCILE_MAX_WITHDRAW_PERCENT * outstanding
