"""Rows that mend what dfire and we disagree about: the same kinds, handlers and order as everything else that is told.

Each function expects the coupon locked and puts at most one row of a kind; dfire is asked first wherever that decides
what has to be said.
"""

from datetime import date
from typing import Any

from coupons.models import IssuedCoupon, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowKind
from integrations.outbox.queue import put, row_for
from integrations.sync.identities import Identity
from merchants.models import Merchant

_MOST_PROMOTIONS = 200  # tried one after another for a code that nobody knows


def deliver(coupon: IssuedCoupon, *, seen: Identity | None = None) -> None:
    """Look for the coupon where dfire was told of it and where it was `seen`; deliver it if it is nowhere."""
    row = row_for(RowKind.DELIVER, coupon.merchant, template=coupon.template, version=coupon.version, coupon=coupon)
    row.phase = Phase.ASK
    row.details = {"seen": seen} if seen else {}
    _put_once(row)


def withdraw(coupon: IssuedCoupon, *, seen: Identity, held_elsewhere: bool = False) -> None:
    """Take a coupon back from whoever was seen to hold it; `held_elsewhere`: although it is good."""
    row = row_for(RowKind.WITHDRAW, coupon.merchant, template=coupon.template, coupon=coupon)
    row.phase = Phase.ASK
    row.details = {"seen": seen, "held_elsewhere": held_elsewhere}
    _put_once(row)


def verify(coupon: IssuedCoupon, *, seen: Identity, order_id: str, order_date: date) -> None:
    """Mark a redeemed coupon as used at dfire, on an order of that Shanghai date without amounts."""
    row = row_for(RowKind.VERIFY, coupon.merchant, template=coupon.template, coupon=coupon)
    row.phase = Phase.ASK
    row.details = {
        "seen": seen,
        "order_id": order_id,
        "order_date": order_date.isoformat(),
        "paid_fen": 0,
        "saved_fen": 0,
    }
    _put_once(row)


def withdraw_unknown(merchant: Merchant, *, code: str, seen: Identity, promotion_ids: list[str]) -> bool:
    """Take back a code that is none of ours, trying these promotions. Returns whether there is one to try."""
    if not promotion_ids:
        return False
    details: dict[str, Any] = {
        "code": code, "title": code, "seen": seen, "promotion_ids": promotion_ids[:_MOST_PROMOTIONS], "tried": 0,
    }  # fmt: skip
    under_way = OutboxRow.objects.filter(
        merchant=merchant, kind=RowKind.WITHDRAW_UNKNOWN, state__in=UNSETTLED, details__code=code
    )
    if not under_way.exists():
        row = row_for(RowKind.WITHDRAW_UNKNOWN, merchant, details=details)
        row.phase = Phase.ASK
        put([row])
    return True


def save(version: TemplateVersion) -> None:
    """Tell dfire the terms of a version once more."""
    template = version.template
    saves = OutboxRow.objects.filter(template=template, coupon=None, version=version, kind=RowKind.SAVE_PROMOTION)
    if not saves.filter(state__in=UNSETTLED).exists():
        put([row_for(RowKind.SAVE_PROMOTION, template.merchant, template=template, version=version)])


def _put_once(row: OutboxRow) -> None:
    """One of a kind is enough: whatever is under way for the coupon will look for itself."""
    if not OutboxRow.objects.filter(coupon=row.coupon, kind=row.kind, state__in=UNSETTLED).exists():
        put([row])
