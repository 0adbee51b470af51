"""What staff had best decide about an entry: stable keys in the database, the words for them in the admin.

Nothing is decided here; a suggestion only says what the portal's own records make likely.
"""

import re
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from coupons.choices import EventKind
from coupons.models import IssuedCoupon, TemplateVersion
from integrations.models import DfireCallback

LONG = timedelta(days=1)  # a coupon that has not appeared by then will hardly come by itself
_OUR_CODES = re.compile(r"[0-9]{16}\Z")


class Suggestion(models.TextChoices):
    """The keys."""

    WAIT = "wait_for_coupon"
    RECONCILE = "reconcile"
    NOT_OURS = "not_ours"
    CHECK_ACCOUNT = "check_account"
    ACCEPT = "accept"
    ASK_SHOP = "ask_shop"


def suggestion_for_unknown(callback: DfireCallback) -> Suggestion:
    """For a code that no coupon has: ours by its promotion, surely not ours, or nobody knows yet."""
    if not _OUR_CODES.match(callback.code):
        return Suggestion.NOT_OURS
    if _promotion_is_ours(callback):
        return Suggestion.RECONCILE
    known_since = callback.received_at or timezone.now()
    return Suggestion.NOT_OURS if timezone.now() - known_since > LONG else Suggestion.WAIT


def suggestion_for_late(coupon: IssuedCoupon) -> Suggestion:
    """For a coupon redeemed after its end: the till could know of it once the coupon was withdrawn at dfire."""
    if coupon.redeemed_at is None:
        return Suggestion.ACCEPT
    moment = coupon.redeemed_at + timedelta(milliseconds=1)  # tills tell whole milliseconds
    withdrawn = coupon.events.filter(kind=EventKind.WITHDRAWN, at__lt=moment)
    return Suggestion.ASK_SHOP if withdrawn.exists() else Suggestion.ACCEPT


def _promotion_is_ours(callback: DfireCallback) -> bool:
    named = callback.promotion_id
    ours = TemplateVersion.objects.filter(template__merchant__dfire_account=callback.account_id)
    return bool(named) and ours.filter(Q(promotion_id=named) | Q(dfire_id=named)).exists()
