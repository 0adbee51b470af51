"""The tokens in push addresses: finding the account of one, and changing over from one to the next without a gap.

While a platform is changed over, both its addresses work: the new one, and the old one until a time. It ends by itself.
"""

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from merchants.models import SmartCouponAccount
from merchants.secrets import keyed_hashes

TOKEN_BYTES = 24
_USE_NOTED_EVERY = timedelta(minutes=1)


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def account_of(token: str) -> SmartCouponAccount | None:
    """The account whose token this is, or was until a time that has not come yet: then its use is noted."""
    hashes, now = keyed_hashes(token), timezone.now()
    before = Q(previous_token_hash__in=hashes, previous_until__gt=now)
    account = SmartCouponAccount.objects.filter(Q(token_hash__in=hashes) | before).first()
    if account is not None and account.token_hash not in hashes:
        stale = Q(previous_used_at=None) | Q(previous_used_at__lt=now - _USE_NOTED_EVERY)
        SmartCouponAccount.objects.filter(stale, pk=account.pk).update(previous_used_at=now)
    return account


@transaction.atomic
def rotate(account: SmartCouponAccount, *, keep: timedelta) -> None:
    """Give the account a new token; the present one stays good for so long. One that was still good before it ends."""
    locked = _locked(account)
    locked.previous_token, locked.token = locked.token, new_token()
    locked.previous_until, locked.previous_used_at = timezone.now() + keep, None
    locked.save(update_fields=["token", "previous_token", "previous_until", "previous_used_at"])


@transaction.atomic
def end_previous(account: SmartCouponAccount) -> bool:
    """From now on the present token alone is good. Returns whether there was another."""
    locked = _locked(account)
    was = locked.previous_until is not None and locked.previous_until > timezone.now()
    locked.previous_token, locked.previous_until = "", None
    locked.save(update_fields=["previous_token", "previous_until"])
    return was


def _locked(account: SmartCouponAccount) -> SmartCouponAccount:
    return SmartCouponAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
