"""What exists for an app: its merchants, and what is theirs. Everything else looks as if there were none."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from coupons.choices import CouponStatus
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import PartnerApp
from integrations.partner_api.errors import not_found
from merchants.models import Merchant

_AT_HAND = ("merchant", "template", "version", "customer")
_TOLD = (
    "code", "status", "delivery", "valid_from", "valid_until", "issued_at", "redeemed_at", "merchant__merchant_id",
    "template__coupon_id", "version__terms_json", "customer__identifier", "customer__erased_at",
)  # fmt: skip


def merchant_of(app: PartnerApp, merchant_id: str) -> Merchant:
    """The app's merchant.

    Raises:
        ApiRefused: there is none.
    """
    merchant = app.merchants.filter(merchant_id=merchant_id).first()
    if merchant is None:
        raise not_found("merchant_id")
    return merchant


def templates_of(app: PartnerApp) -> QuerySet[CouponTemplate]:
    """The templates of the app's merchants."""
    return CouponTemplate.objects.filter(merchant__in=_merchants(app)).select_related("merchant")


def coupons_of(app: PartnerApp) -> QuerySet[IssuedCoupon]:
    """The coupons of the app's merchants, with what their shape needs."""
    return IssuedCoupon.objects.filter(merchant__in=_merchants(app)).select_related(*_AT_HAND)


def coupon_of(app: PartnerApp, code: str) -> IssuedCoupon:
    """One coupon of the app's merchants.

    Raises:
        ApiRefused: there is none.
    """
    return _one(_by_code(app, code))


def coupon_told(app: PartnerApp, code: str) -> IssuedCoupon:
    """The same, with nothing read but what `shapes.coupon_shape` tells.

    Raises:
        ApiRefused: there is none.
    """
    return _one(_by_code(app, code).only(*_TOLD))


def in_status(status: str, now: datetime) -> Q:
    """The coupons that read so at `now` (aware): an issued one whose last second is over has expired."""
    over = Q(status=CouponStatus.ISSUED, valid_until__lte=now - timedelta(seconds=1))
    if status == CouponStatus.EXPIRED:
        return Q(status=CouponStatus.EXPIRED) | over
    if status == CouponStatus.ISSUED:
        return Q(status=CouponStatus.ISSUED) & ~over
    return Q(status=status)


def _by_code(app: PartnerApp, code: str) -> QuerySet[IssuedCoupon]:
    return IssuedCoupon.objects.filter(code=code, merchant__in=app.merchants.all()).select_related(*_AT_HAND)


def _one(found: QuerySet[IssuedCoupon]) -> IssuedCoupon:
    for coupon in found:  # the code is unique
        return coupon
    raise not_found()


def _merchants(app: PartnerApp) -> list[int]:
    """By their ids, which the planner can look up in the index of coupons."""
    return list(app.merchants.values_list("pk", flat=True))
