"""Under whom dfire holds a coupon: what every later question and withdrawal must use, whatever is bound since."""

from coupons.models import IssuedCoupon
from integrations.models import OutboxAttempt
from integrations.models.outbox import RowKind
from integrations.outbox.evidence import may_have_happened

Identity = dict[str, str]


def told_identities(coupon: IssuedCoupon) -> list[Identity]:
    """Every identity under which dfire may hold the coupon, the likeliest first; none if it was never told of it."""
    if coupon.delivered_openid:
        return [_delivered(coupon)]
    attempts = may_have_happened(OutboxAttempt.objects.filter(row__coupon=coupon, row__kind=RowKind.DELIVER))
    attempts = attempts.exclude(identity={})  # its contents have been removed: nothing hangs on it any more
    told: list[Identity] = []
    for identity in attempts.order_by("-id").values_list("identity", flat=True):
        if not any(_same_list(identity, known) for known in told):
            told.append(dict(identity))
    return told


def told_identity(coupon: IssuedCoupon) -> Identity | None:
    """The likeliest of them."""
    return next(iter(told_identities(coupon)), None)


def _delivered(coupon: IssuedCoupon) -> Identity:
    return {
        "appid": coupon.delivered_appid,
        "openid": coupon.delivered_openid,
        "mobile": coupon.delivered_mobile,
    }


def _same_list(one: Identity, other: Identity) -> bool:
    """Whether dfire keeps both in one list: a mobile number makes no difference there."""
    return (one.get("appid"), one.get("openid")) == (other.get("appid"), other.get("openid"))
