"""Asking dfire one harmless question, to learn whether an account works: for staff, and where nothing is queued to try.

A stopped account is tried with a row of its queue. One whose queue is empty would stay stopped, and its incident open,
until somebody needs it; it is asked for its promotions instead.
"""

from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from integrations.dfire import DfireError, Reply
from integrations.models import AccountState, OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import doorbell, pace
from integrations.outbox.clients import client_for
from merchants.models import DfireAccount, Merchant


def ask(account: DfireAccount, merchant: Merchant) -> Reply[Any]:
    """List the merchant's promotions. Touches the network: not inside a transaction.

    Where dfire answers well, a stopped account goes on: at once if nothing is queued, else its queue is tried at once,
    because another call than this one may be what is refused.

    Raises:
        DfireError: dfire did not answer well.
        ValueError: the account cannot be used as it stands.
    """
    asked_at = timezone.now()
    reply = client_for(account).query_promotions(entity_id=merchant.entity_id, plate_entity_id=merchant.plate_entity_id)
    if OutboxRow.objects.filter(merchant__dfire_account=account, state=RowState.QUEUED).exists():
        pace.probe_soon(account)
        doorbell.ring()
    else:
        pace.answered(account.pk, asked_at, timezone.now())
    return reply


def try_idle() -> int:
    """Ask for each stopped account that has nothing queued and whose next try is due. Returns how many were asked."""
    queued = OutboxRow.objects.filter(merchant__dfire_account=OuterRef("account"), state=RowState.QUEUED)
    now = timezone.now()
    due = AccountState.objects.filter(~Exists(queued), stopped_at__isnull=False, probe_at__lte=now)
    asked = 0
    for state in list(due.select_related("account")):
        merchant = state.account.merchants.order_by("pk").first()
        mine = AccountState.objects.filter(pk=state.pk, probe_at=state.probe_at)
        if merchant is None or not mine.update(probe_at=now + pace.PROBE_EVERY):
            continue  # nobody to ask about, or another worker is asking
        asked += 1
        try:
            ask(state.account, merchant)
        except (DfireError, ValueError):
            continue  # still to be mended
    return asked
