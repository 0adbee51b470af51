"""The inbox: a redemption told by dfire is written down first, then applied; what cannot be applied yet stays open.

Open ones are tried again by the clock, and staff settle by hand what never fits. Nothing is dropped.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from coupons import lifecycle
from coupons.lifecycle import TillOutcome
from coupons.models import IssuedCoupon
from integrations.models import DfireCallback
from integrations.models.inbox import OPEN_STATES, CallbackState
from merchants.models import DfireAccount, Shop

logger = structlog.get_logger(__name__)

LONGEST_ID = 64
_APPLIED = ["coupon", "state", "suggestion", "settled_at", "tried_at", "parameters", "blanked_at"]
SUGGEST_WAIT = "wait_for_coupon"
SUGGEST_CHECK_ACCOUNT = "check_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One redemption as dfire told it: the stripped code, when it was sent (aware), every parameter but the sign."""

    code: str
    promotion_id: str
    entity_id: str
    sent_at: datetime
    parameters: dict[str, str]


@transaction.atomic
def take(account: DfireAccount, redemption: Redemption) -> DfireCallback:
    """Write a redemption down and apply it if its coupon is known. The same callback again changes nothing."""
    digest = hashlib.sha256(json.dumps(redemption.parameters, sort_keys=True).encode()).hexdigest()
    callback, fresh = DfireCallback.objects.get_or_create(
        account=account,
        digest=digest,
        defaults={
            "code": redemption.code,
            "promotion_id": redemption.promotion_id,
            "entity_id": redemption.entity_id,
            "sent_at": redemption.sent_at,
            "parameters": redemption.parameters,
            "state": CallbackState.UNKNOWN_COUPON,
        },
    )
    if not fresh:
        DfireCallback.objects.filter(pk=callback.pk).update(repeats=F("repeats") + 1)
        return callback
    apply(callback)
    return callback


@transaction.atomic
def apply(callback: DfireCallback) -> CallbackState:
    """Apply an open callback to the coupon of its code, if there is one and its merchant uses this account."""
    now = timezone.now()
    found = IssuedCoupon.objects.select_related("merchant").filter(code=callback.code).first()
    if found is None:
        _leave_open(callback, CallbackState.UNKNOWN_COUPON, SUGGEST_WAIT)
    elif found.merchant.dfire_account_id != callback.account_id:
        _leave_open(callback, CallbackState.OTHER_ACCOUNT, SUGGEST_CHECK_ACCOUNT)
    else:
        coupon = lifecycle.lock([found.pk])[0]
        outcome = lifecycle.redeem_at_till(
            coupon,
            at=min(callback.sent_at, now),
            shop=Shop.objects.filter(merchant=found.merchant_id, entity_id=callback.entity_id).first(),
            details=_details(callback),
        )
        callback.coupon = coupon
        if coupon.customer.erased_at is not None:  # it counts, and nothing of it says whose the coupon was
            callback.parameters, callback.blanked_at = {}, now
        callback.state = CallbackState.APPLIED if outcome is TillOutcome.REDEEMED else CallbackState.REPEATED
        callback.suggestion = ""
        callback.settled_at = now
    if callback.state not in OPEN_STATES:
        transaction.on_commit(partial(_log, callback, outcome=callback.state), robust=True)
    callback.tried_at = now
    callback.save(update_fields=_APPLIED)
    return CallbackState(callback.state)


def retry_open(limit: int = 500) -> int:
    """Try open callbacks again, those first that were tried longest ago.

    Returns:
        How many were settled.
    """
    settled = 0
    due = DfireCallback.objects.filter(state__in=OPEN_STATES).order_by(F("tried_at").asc(nulls_first=True))
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            callback = (
                DfireCallback.objects.select_for_update(skip_locked=True).filter(pk=pk, state__in=OPEN_STATES).first()
            )
            if callback is not None and apply(callback) not in OPEN_STATES:
                settled += 1
    return settled


def settle_by_hand(callback: DfireCallback) -> bool:
    """Staff have dealt with an open callback themselves.

    Returns:
        Whether it was still open.
    """
    return bool(
        DfireCallback.objects.filter(pk=callback.pk, state__in=OPEN_STATES).update(
            state=CallbackState.SETTLED, settled_at=timezone.now(), suggestion=""
        )
    )


def _leave_open(callback: DfireCallback, state: CallbackState, suggestion: str) -> None:
    callback.state = state
    callback.suggestion = suggestion


def _log(callback: DfireCallback, *, outcome: str) -> None:
    logger.info("callback_applied", callback_id=callback.pk, coupon_id=callback.coupon_id, outcome=outcome)


def _details(callback: DfireCallback) -> dict[str, Any]:
    return {"callback": callback.pk, "entity_id": callback.entity_id, "promotion_id": callback.promotion_id}
