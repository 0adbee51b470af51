"""Redemptions that dfire leaves open: after a time staff decide, and whatever dfire says later still counts."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from coupons import lifecycle
from integrations.models import AccountState, OutboxAttempt, OutboxRow, PartnerOrder
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

CALLS_WITHOUT_DECISION = 6  # a round is a call whose outcome is unknown, and the question about it


def can_be_decided(order: PartnerOrder, now: datetime) -> bool:
    """Whether dfire has left an open order to staff.

    It has where nothing asks any more; where its account has been silent for REDEEM_LIMIT_MINUTES; and where the order
    itself has been open so long and six calls, which are three rounds of sending and asking, have brought no decision:
    an account that answers the questions and never the call itself is never silent.
    """
    return _left_to_staff(PartnerOrder.objects.filter(pk=order.pk), now).exists()


def _left_to_staff(orders: QuerySet[PartnerOrder], now: datetime) -> QuerySet[PartnerOrder]:
    since = now - timedelta(minutes=settings.REDEEM_LIMIT_MINUTES)
    answers = AccountState.objects.filter(account=OuterRef("row__merchant__dfire_account"), last_answer_at__gt=since)
    calls = OutboxAttempt.objects.filter(row=OuterRef("row")).order_by("pk")
    nothing_asks = Q(row=None) | ~Q(row__state__in=UNSETTLED)
    no_decision = ~Exists(answers) | Exists(calls[CALLS_WITHOUT_DECISION - 1 : CALLS_WITHOUT_DECISION])
    return orders.filter(nothing_asks | Q(began_at__lte=since) & no_decision)


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
    unseen = _left_to_staff(overdue.exclude(coupon__flag=UNDECIDED), now).order_by("began_at")
    for coupon_id in list(unseen.values_list("coupon_id", flat=True)[:limit]):
        with transaction.atomic():
            [coupon] = lifecycle.lock([coupon_id])
            order = open_order(coupon)
            if order is not None and can_be_decided(order, now):
                undecided(coupon)
                flagged += 1
    return flagged
