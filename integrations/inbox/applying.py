"""Applying a callback to the coupon of its code, and saying what stands in the way where that cannot be done."""

from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus
from coupons.lifecycle import TillOutcome
from coupons.models import IssuedCoupon
from integrations.inbox.suggestions import Suggestion, suggestion_for_late, suggestion_for_unknown
from integrations.models import DfireCallback
from integrations.models.inbox import CallbackState, Problem
from integrations.sync import redemptions
from merchants.models import Merchant, Shop

logger = structlog.get_logger(__name__)

_APPLIED_FIELDS = [
    "coupon", "merchant", "state", "problem", "suggestion", "settled_at", "tried_at", "parameters", "blanked_at",
]  # fmt: skip
_LATE = {
    f"redeemed_when_{CouponStatus.REVOKED.value}": Problem.AFTER_REVOKE,
    f"redeemed_when_{CouponStatus.EXPIRED.value}": Problem.AFTER_EXPIRY,
}


def apply(callback: DfireCallback) -> CallbackState:
    """Apply an open callback to the coupon of its code, if there is one and its merchant uses this account.

    Call it in a transaction that has the callback locked, or has just made it.
    """
    found = IssuedCoupon.objects.select_related("merchant").filter(code=callback.code).first()
    callback.tried_at = timezone.now()
    if found is None:
        callback.state, callback.problem = CallbackState.UNKNOWN_COUPON, Problem.UNKNOWN_COUPON
        callback.coupon, callback.merchant = None, _merchant_named(callback)
        callback.suggestion = suggestion_for_unknown(callback)
    elif found.merchant.dfire_account_id != callback.account_id:
        callback.state, callback.problem = CallbackState.OTHER_ACCOUNT, Problem.OTHER_ACCOUNT
        callback.coupon, callback.merchant = None, found.merchant
        callback.suggestion = Suggestion.CHECK_ACCOUNT
    else:
        coupon = lifecycle.lock([found.pk])[0]
        if redemptions.may_be_echo(coupon):
            _wait(callback, coupon)
        else:
            _note_outcome(callback, coupon, redeem(callback, coupon))
    callback.save(update_fields=_APPLIED_FIELDS)
    return CallbackState(callback.state)


def waits_for(coupon: IssuedCoupon) -> bool:
    """Whether a callback waits for a partner's redemption of the coupon."""
    return DfireCallback.objects.filter(coupon=coupon, state=CallbackState.WAITS).exists()


def apply_waiting(coupon: IssuedCoupon) -> bool:
    """Apply what waited until a partner's redemption of a locked coupon was settled. Returns whether anything did."""
    waiting = DfireCallback.objects.select_for_update(of=("self",), no_key=True)
    told = list(waiting.filter(coupon=coupon, state=CallbackState.WAITS).order_by("pk"))
    # The first may redeem the coupon, which settles its order, which comes here again: then nothing waits any more.
    DfireCallback.objects.filter(pk__in=[callback.pk for callback in told]).update(state=CallbackState.REPEATED)
    for callback in told:
        _note_outcome(callback, coupon, redeem(callback, coupon))
        callback.save(update_fields=_APPLIED_FIELDS)
    return bool(told)


def redeem(callback: DfireCallback, coupon: IssuedCoupon, **details: Any) -> TillOutcome:
    """Redeem a locked coupon as the callback says. The event names the callback, and `details` besides.

    The callback becomes the coupon's; the caller saves it.
    """
    callback.coupon, callback.merchant_id = coupon, coupon.merchant_id
    if coupon.customer.erased_at is not None:  # it counts, and nothing of it says whose the coupon was
        callback.parameters, callback.blanked_at = {}, timezone.now()
    shop = Shop.objects.filter(merchant=coupon.merchant_id, entity_id=callback.entity_id).first()
    outcome = lifecycle.redeem_at_till(
        coupon,
        at=min(callback.sent_at, timezone.now()),
        shop=shop,
        details={
            "callback": callback.pk,
            "entity_id": callback.entity_id,
            "promotion_id": callback.promotion_id,
            **details,
        },
    )
    if shop is not None and outcome is TillOutcome.REPEATED and _is_first_told(callback, coupon):
        lifecycle.tell_shop(coupon, shop)
    transaction.on_commit(lambda: _log(callback, outcome=outcome.value), robust=True)
    return outcome


def _is_first_told(callback: DfireCallback, coupon: IssuedCoupon) -> bool:
    """Whether the coupon was only seen to be redeemed in dfire's list, and no other callback has told of it."""
    earlier = DfireCallback.objects.filter(coupon=coupon, pk__lt=callback.pk).exclude(digest=list_digest(coupon))
    return not earlier.exists()


def list_digest(coupon: IssuedCoupon) -> str:
    """What stands for the digest in the entry of a redemption that only dfire's list shows."""
    return f"list-{coupon.pk}"


def late_problem(coupon: IssuedCoupon) -> str:
    """Which end a coupon's redemption came after, by the flag that it was given; "" where it was in time."""
    return _LATE.get(coupon.flag, "")


def _note_outcome(callback: DfireCallback, coupon: IssuedCoupon, outcome: TillOutcome) -> None:
    """A redemption in time is settled, a repeat too; a late one counts, and is for staff to look at."""
    callback.problem = late_problem(coupon) if outcome is TillOutcome.REDEEMED else ""
    if callback.problem:
        callback.state, callback.suggestion = CallbackState.REVIEW, suggestion_for_late(coupon)
        return
    callback.state = CallbackState.APPLIED if outcome is TillOutcome.REDEEMED else CallbackState.REPEATED
    callback.suggestion = ""
    callback.settled_at = timezone.now()


def _wait(callback: DfireCallback, coupon: IssuedCoupon) -> None:
    """It may be the echo of our own call for a partner's order: that is settled first (`apply_waiting`)."""
    callback.coupon, callback.merchant_id = coupon, coupon.merchant_id
    callback.state, callback.problem, callback.suggestion = CallbackState.WAITS, "", ""


def _merchant_named(callback: DfireCallback) -> Merchant | None:
    """The one merchant of the account that the callback's entity belongs to; None where it is none's or several's."""
    if not callback.entity_id:
        return None
    named = Q(entity_id=callback.entity_id) | Q(shops__entity_id=callback.entity_id)
    merchants = list(Merchant.objects.filter(named, dfire_account=callback.account_id).distinct()[:2])
    return merchants[0] if len(merchants) == 1 else None


def _log(callback: DfireCallback, *, outcome: str) -> None:
    logger.info("callback_applied", callback_id=callback.pk, coupon_id=callback.coupon_id, outcome=outcome)
