"""Trying open callbacks again: at once when a coupon of their code appears, by the clock for whatever was missed."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import F

from integrations.inbox.applying import apply
from integrations.models import DfireCallback
from integrations.models.inbox import OPEN_STATES, CallbackState
from merchants.inserting import array
from merchants.models import Merchant

_WAITING = "SELECT id FROM integrations_dfirecallback WHERE code = ANY(%s::text[]) AND state = %s ORDER BY id"
_MOST_OF_A_MERCHANT = 100  # in the request that saves it; the clock does the rest


@transaction.atomic
def try_again(callback_id: int, *, wait: bool = True) -> bool:
    """Apply an open callback under its lock. Without `wait` one that somebody else is trying is left to them.

    Returns:
        Whether this settled it, or put it before staff.
    """
    open_ones = DfireCallback.objects.select_for_update(of=("self",), no_key=True, skip_locked=not wait)
    callback = open_ones.filter(pk=callback_id, state__in=OPEN_STATES).first()
    return callback is not None and apply(callback) not in OPEN_STATES


def appeared(codes: Sequence[str]) -> int:
    """Coupons of these codes have been committed: apply the callbacks that waited for them.

    Whoever brings coupons in by another way than issuing calls this after the commit; else the clock finds them.

    Returns:
        How many were settled.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [array(codes), CallbackState.UNKNOWN_COUPON])
        waiting = [pk for (pk,) in cursor.fetchall()]
    return _try_each(waiting)


def merchant_moved(merchant: Merchant) -> int:
    """The merchant may use another account now: apply the callbacks of that account for its coupons.

    Returns:
        How many were settled.
    """
    waiting = DfireCallback.objects.filter(
        state=CallbackState.OTHER_ACCOUNT, merchant=merchant, account=merchant.dfire_account_id
    )
    return _try_each(waiting.order_by("pk").values_list("pk", flat=True)[:_MOST_OF_A_MERCHANT])


def retry_open(limit: int = 500) -> int:
    """Try open callbacks again, those first that were tried longest ago.

    Returns:
        How many were settled.
    """
    due = DfireCallback.objects.filter(state__in=OPEN_STATES).order_by(F("tried_at").asc(nulls_first=True))
    return _try_each(due.values_list("pk", flat=True)[:limit])


def _try_each(ids: Iterable[int]) -> int:
    return sum(try_again(pk, wait=False) for pk in list(ids))
