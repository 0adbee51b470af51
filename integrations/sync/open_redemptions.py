"""Redemptions that dfire leaves open: after a time staff decide, and whatever dfire says later still counts."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from integrations.models import AccountState, OutboxRow, PartnerOrder
from integrations.models.orders import OrderState
from integrations.models.outbox import UNSETTLED, RowState
from integrations.outbox import repair
from integrations.sync.redemptions import (
    UNDECIDED,
    call_ended,
    open_order,
    redemption_settled,
    settle,
    uncertain,
    undecided,
)
from integrations.sync.words import NOT_NEEDED


def can_be_decided(order: PartnerOrder, now: datetime) -> bool:
    """Whether dfire has left an open order to staff: nothing asks any more, or its account has been silent too long."""
    row = order.row
    if row is None or row.state not in UNSETTLED:
        return True
    answered = AccountState.objects.filter(account=row.merchant.dfire_account_id).values_list("last_answer_at").first()
    last = max(filter(None, [order.began_at, *(answered or ())]))
    return now >= last + timedelta(minutes=settings.REDEEM_LIMIT_MINUTES)


@transaction.atomic
def decide(coupon_id: int, *, redeemed: bool, actor: str) -> bool:
    """Staff decide an open order that dfire has left to them. dfire is told, or asked, behind it all the same.

    Returns:
        Whether it was still theirs to decide.
    """
    [coupon] = lifecycle.lock([coupon_id])
    order = open_order(coupon)
    if order is None or not can_be_decided(order, timezone.now()):
        return False
    order.decided_by, row = actor, order.row
    if redeemed:
        settle(order, coupon, OrderState.REDEEMED)
        lifecycle.finish_redeeming(
            coupon, actor=actor, at=order.began_at, shop=order.shop, saved_fen=order.saved_fen,
            paid_fen=order.paid_fen, details={"order": order.order_id},
        )  # fmt: skip
    else:
        settle(order, coupon, OrderState.UNDONE)
        lifecycle.stop_redeeming(coupon, actor=actor, details={"order": order.order_id})
    if row is not None and not redeemed and not uncertain(row).exists():
        _cancel(row)
    elif row is not None:  # dfire is told, or asked: what had been given up as well
        repair.retry([row])
    if redeemed:
        redemption_settled.send(PartnerOrder, coupon=coupon, inferred=False)
    else:  # a callback that waits may be our own call's echo still
        call_ended.send(PartnerOrder, coupon=coupon)
    return True


def _cancel(row: OutboxRow) -> None:
    """Nothing of it has reached dfire, so nothing is to be asked; one that is being sent is settled by who sends it."""
    idle = OutboxRow.objects.filter(pk=row.pk).exclude(state__in=[RowState.SENDING, RowState.DONE])
    idle.update(state=RowState.CANCELLED, last_message=NOT_NEEDED, settled_at=timezone.now())


def flag_overdue(limit: int = 200) -> int:
    """Put before staff what dfire has left open too long. Returns how many."""
    flagged, now = 0, timezone.now()
    overdue = PartnerOrder.objects.filter(
        state=OrderState.OPEN, began_at__lte=now - timedelta(minutes=settings.REDEEM_LIMIT_MINUTES)
    )
    unseen = overdue.exclude(coupon__flag=UNDECIDED).order_by("began_at").values_list("coupon_id", flat=True)
    for coupon_id in list(unseen[:limit]):
        with transaction.atomic():
            [coupon] = lifecycle.lock([coupon_id])
            order = open_order(coupon)
            if order is not None and can_be_decided(order, now):
                undecided(coupon)
                flagged += 1
    return flagged
