"""Undo after a cancelled order: a redeemed coupon is replaced by a new one, once.

The first stays redeemed, because a till has said so. The replacement stands in its place: it takes nothing from stock,
limits and budget, and so gives nothing back when it is revoked or expires (`coupons.counting`). Its money is the
first's, which stays committed; its own cost is nought, so that figures add it up once.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from coupons import issuing
from coupons.choices import CouponStatus, EventKind, Source
from coupons.errors import Reason, Refused
from coupons.lifecycle.core import lock, note
from coupons.models import CouponTemplate, IssuedCoupon, Reissue
from coupons.signals import coupon_issued
from merchants.clock import day_end, local_day
from merchants.models import Customer

LEAST_LEFT = timedelta(days=3)  # with less than this left of the first's validity, the replacement gets a new end


class _ChangedHands(Exception):
    """The coupon has another holder than the one that was locked for it."""


def refusal_to_reissue(coupon: IssuedCoupon) -> Reason | None:
    """Why the coupon cannot be replaced, as far as can be seen without locks; None if it can."""
    if coupon.status != CouponStatus.REDEEMED:
        return Reason.NOT_REDEEMED
    if Reissue.objects.filter(original=coupon).exists():
        return Reason.REPLACED
    return Reason.CUSTOMER_ERASED if coupon.customer.erased_at is not None else None


def last_day_at_tills(coupon: IssuedCoupon) -> date:
    """The last Shanghai day on which a till takes a coupon of these terms, whatever end stands on the coupon here."""
    terms = coupon.version.terms
    return terms.end_date + timedelta(days=(terms.valid_days or 1) - 1)


def end_of_replacement(coupon: IssuedCoupon, now: datetime) -> datetime:
    """Until when a replacement that is made now is valid, unless staff say otherwise (aware).

    The first's end where enough of it is left. Else as many days as the first was given, counted from today and, where
    tills take such coupons still, no longer than they do.
    """
    if coupon.valid_until >= now + LEAST_LEFT:
        return coupon.valid_until
    today = local_day(now)
    given = (local_day(coupon.valid_until) - local_day(coupon.valid_from)).days + 1
    last = today + timedelta(days=(coupon.version.terms.valid_days or given) - 1)
    at_tills = last_day_at_tills(coupon)
    return day_end(min(last, at_tills) if at_tills >= today else last)


def reissue(coupon_id: int, *, reason: str, actor: str, valid_until: datetime | None = None) -> IssuedCoupon:
    """Replace a redeemed coupon whose order was cancelled, for its holder and under the terms it was issued under.

    Locks the holder and the coupon itself. A replacement that is redeemed in its turn may be replaced again.

    Args:
        valid_until: the last second of the replacement's validity (aware); None as `end_of_replacement` says.

    Returns:
        The replacement, valid from now and on its way to dfire.

    Raises:
        Refused: it is not redeemed, has been replaced already, its holder was erased, the end has passed, or its
            template has been deleted.
    """
    while True:
        holder_id = IssuedCoupon.objects.values_list("customer", flat=True).get(pk=coupon_id)
        try:
            with transaction.atomic():
                return _reissue(coupon_id, holder_id, reason=reason, actor=actor, valid_until=valid_until)
        except _ChangedHands:  # its locks are gone with the savepoint
            continue


def _reissue(coupon_id: int, holder_id: int, *, reason: str, actor: str, valid_until: datetime | None) -> IssuedCoupon:
    holder = Customer.objects.select_for_update(no_key=True).get(pk=holder_id)
    original = lock([coupon_id])[0]
    if original.customer_id != holder.pk:
        raise _ChangedHands
    if refusal := refusal_to_reissue(original):
        raise Refused(refusal)
    now = timezone.now()
    last_second = end_of_replacement(original, now) if valid_until is None else valid_until
    if last_second < now:
        raise Refused(Reason.END_PASSED)
    replacement = issuing.insert(
        IssuedCoupon(
            merchant_id=original.merchant_id,
            template=CouponTemplate.objects.select_related("merchant").get(pk=original.template_id),
            version=original.version,
            customer=holder,
            valid_from=now,
            valid_until=last_second,
            source=Source.STAFF,
            issued_at=now,
            cost_fen=0,
        )
    )
    Reissue.objects.create(original=original, replacement=replacement)
    note(original, EventKind.REISSUED, actor, {"reason": reason, "replacement": replacement.pk})
    note(replacement, EventKind.ISSUED, actor, {"replaces": original.pk})
    coupon_issued.send(IssuedCoupon, version=original.version, coupon=replacement)
    return replacement
