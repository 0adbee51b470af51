"""Taking a redemption in: kept as dfire told it, once, and applied in the same transaction if its coupon is known."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from coupons.models import IssuedCoupon
from integrations.inbox.applying import apply, late_problem, list_digest
from integrations.inbox.retrying import appeared
from integrations.inbox.suggestions import suggestion_for_late
from integrations.models import DfireCallback
from integrations.models.inbox import CallbackState
from merchants.models import DfireAccount

LONGEST_ID = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One redemption as dfire told it: the stripped code, when it was sent (aware), every parameter but the sign.

    The sign is left out because it would let whoever reads it repeat the call; it can be computed from the rest.
    """

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
    if apply(callback) == CallbackState.UNKNOWN_COUPON:
        # Its coupon may be committed between our look and our commit. Who issues looks here after the commit, and we
        # look there after ours: whoever is later finds the other.
        transaction.on_commit(lambda: appeared([redemption.code]), robust=True)
    return callback


def list_late(coupon: IssuedCoupon) -> None:
    """List a locked coupon that dfire's own list, and no callback, shows to be redeemed after its end."""
    account_id = coupon.merchant.dfire_account_id
    if account_id is None or coupon.redeemed_at is None:
        return
    DfireCallback.objects.get_or_create(
        account_id=account_id,
        digest=list_digest(coupon),
        defaults={
            "code": coupon.code,
            "sent_at": coupon.redeemed_at,
            "parameters": {},
            "state": CallbackState.REVIEW,
            "problem": late_problem(coupon),
            "suggestion": suggestion_for_late(coupon),
            "coupon": coupon,
            "merchant_id": coupon.merchant_id,
            "tried_at": timezone.now(),
        },
    )
