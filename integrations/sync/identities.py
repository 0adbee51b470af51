"""Under whom dfire holds a coupon: what every later question and withdrawal must use, whatever is bound since."""

from django.db.models import QuerySet

from coupons.models import IssuedCoupon
from integrations.models import OutboxAttempt
from integrations.models.outbox import RowKind
from integrations.outbox.evidence import ASSUMED, may_have_happened

Identity = dict[str, str]


def may_be_held(coupon: IssuedCoupon) -> bool:
    """Whether dfire may hold the coupon, be it under an identity that nobody knows here any more."""
    return bool(coupon.delivered_openid) or _deliveries(coupon).exists()


def told_identities(coupon: IssuedCoupon) -> list[Identity]:
    """Every identity under which dfire may hold the coupon, the likeliest first; none if it was never told of it.

    What is only assumed (after a restore) may as well have used what is bound now: the dump can be older than that.
    """
    if coupon.delivered_openid:
        return [_delivered(coupon)]
    attempts = list(_deliveries(coupon).order_by("-id").values_list("identity", "result"))
    identities = [identity for identity, _ in attempts]
    if any(result == ASSUMED for _, result in attempts):
        identities.append(_bound(coupon))
    told: list[Identity] = []
    for identity in identities:
        if _complete(identity) and not any(_same_list(identity, known) for known in told):
            told.append(dict(identity))
    return told


def told_identity(coupon: IssuedCoupon) -> Identity | None:
    """The likeliest of them."""
    return next(iter(told_identities(coupon)), None)


def _deliveries(coupon: IssuedCoupon) -> QuerySet[OutboxAttempt]:
    return may_have_happened(OutboxAttempt.objects.filter(row__coupon=coupon, row__kind=RowKind.DELIVER))


def _bound(coupon: IssuedCoupon) -> Identity:
    customer = coupon.customer
    return {"appid": coupon.merchant.appid, "openid": customer.openid, "mobile": customer.mobile}


def _delivered(coupon: IssuedCoupon) -> Identity:
    return {
        "appid": coupon.delivered_appid,
        "openid": coupon.delivered_openid,
        "mobile": coupon.delivered_mobile,
    }


def _complete(identity: Identity) -> bool:
    """Whether it names a list that dfire can be asked for."""
    return bool(identity.get("appid") and identity.get("openid"))


def _same_list(one: Identity, other: Identity) -> bool:
    """Whether dfire keeps both in one list: a mobile number makes no difference there."""
    return (one.get("appid"), one.get("openid")) == (other.get("appid"), other.get("openid"))
