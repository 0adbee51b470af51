"""What is kept about coupons that an erased customer has given on, or was to be given: others hold them now.

Only what names the erased customer goes. As long as dfire may hold such a coupon under the old openid, the record of it
is needed to move or withdraw it, and the erasure waits.
"""

from django.db import transaction

from coupons import erasing, lifecycle
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from integrations.models import DfireCallback, OutboxAttempt, OutboxRow, Push
from integrations.models.outbox import RowState
from integrations.retention.contents import blank
from integrations.retention.traces import in_json, open_rows, readable
from integrations.sync.identities import told_identities
from integrations.webhooks import forgetting
from merchants.models import Erasure
from merchants.privacy import mentions, without_names

_LIVE = (CouponStatus.ISSUED, CouponStatus.REDEEMING)


def still_needed(erasure: Erasure, names: set[str]) -> int:
    """How many of the coupons dfire may still hold under one of the names."""
    return sum(_is_needed(coupon, names) for coupon in erasing.passed_on(erasure.customer_id))


@transaction.atomic
def forget(coupon_id: int, names: set[str]) -> bool:
    """Take the names out of what is kept about one of the coupons.

    Returns:
        Whether they are out; else the record is still needed.
    """
    coupon = lifecycle.lock([coupon_id])[0]
    if _is_needed(coupon, names):
        return False
    if coupon.delivered_openid in names:
        erasing.forget_holder(coupon)
    for row in OutboxRow.objects.select_for_update(no_key=True).filter(coupon=coupon):
        if in_json([row.details, row.last_message], names):
            row.details.pop("refused", None)  # what dfire said; the rest is ids
            row.last_message = without_names(row.last_message, names)
            row.save(update_fields=["details", "last_message"])
    for attempt in OutboxAttempt.objects.filter(row__coupon=coupon, blanked_at=None):
        said = [attempt.identity, attempt.request, attempt.message]
        if in_json(said, names) or mentions(readable(attempt.answer), names):
            blank(OutboxAttempt.objects.filter(pk=attempt.pk))
    for push in Push.objects.filter(coupon=coupon, blanked_at=None):
        if mentions(readable(push.body), names) or in_json(push.answer, names):
            blank(Push.objects.filter(pk=push.pk))
    for callback in DfireCallback.objects.filter(coupon=coupon, blanked_at=None):
        if in_json(callback.parameters, names):
            blank(DfireCallback.objects.filter(pk=callback.pk))
    forgetting.forget(coupon_id, names)
    return True


def _is_needed(coupon: IssuedCoupon, names: set[str]) -> bool:
    rows = open_rows(IssuedCoupon.objects.filter(pk=coupon.pk))
    if rows.filter(state=RowState.SENDING).exists():
        return True
    held_so = any(identity.get("openid") in names for identity in told_identities(coupon))
    return held_so and (coupon.status in _LIVE or rows.exists())
