"""Revision 3 signs the moment alone, so whoever saw one push could send another under its signature: a moment is good
for one push.

The unique key of `SignatureSeen` decides. Another push under the same moment is refused, and a genuine one is signed
anew in the next millisecond. The same push under the same moment is a repeat, however long the account's repeat window
(`integrations.smart_coupon.repeats`): what it made once it makes never again.
Kept by itself, not in the transaction that acts: a push that is refused has used up its moment too.
"""

from datetime import datetime

from django.utils import timezone

from integrations.hooks.refusals import HookCode, HookRefused
from integrations.models import SignatureSeen
from integrations.smart_coupon.revisions import SIGNATURE_TIME
from merchants.models import SmartCouponAccount
from merchants.secrets import keyed_hashes, newest_key


def use(account: SmartCouponAccount, signed_at: int, digest: str) -> datetime:
    """Use up a moment (epoch milliseconds) for the push with this digest.

    Returns:
        When this push first came under this moment.

    Raises:
        HookRefused: 401: another push has used it.
    """
    hashes = keyed_hashes(digest)
    seen, _is_new = SignatureSeen.objects.get_or_create(
        account=account,
        signed_at=signed_at,
        defaults={"digest": hashes[0], "under": newest_key(), "seen_at": timezone.now()},
    )
    if seen.digest not in hashes:
        words = "has been used for another push; sign each push anew."
        raise HookRefused(HookCode.REPLAYED_SIGNATURE, words, field=SIGNATURE_TIME)
    return seen.seen_at
