"""Under whom dfire holds a coupon: what every later question and withdrawal must use, whatever is bound since."""

from datetime import date

from django.db.models import QuerySet

from coupons.choices import Delivery
from coupons.models import IssuedCoupon
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import RowKind
from integrations.outbox.evidence import ASSUMED, may_have_happened
from integrations.sync.promotion_terms import last_day_of_use
from merchants.clock import local_day

Identity = dict[str, str]


def may_be_held(coupon: IssuedCoupon) -> bool:
    """Whether dfire may hold the coupon, be it under an identity that nobody knows here any more."""
    return bool(coupon.delivered_openid) or _deliveries(coupon).exists()


def told_identities(coupon: IssuedCoupon) -> list[Identity]:
    """Every identity under which dfire may hold the coupon, the likeliest first; none if it was never told of it.

    What is only assumed (after a restore) may as well have used what is bound now: the dump can be older than that.
    """
    if coupon.delivered_openid and coupon.delivery == Delivery.DELIVERED:
        return [_delivered(coupon)]
    attempts = list(_deliveries(coupon).order_by("-id").values_list("identity", "result"))
    likely = [identity for identity, _ in attempts]
    if any(result == ASSUMED for _, result in attempts):
        likely.append(_bound(coupon))
    likely.append(_delivered(coupon))  # it was there once, and has been found missing since
    told: list[Identity] = []
    for identity in likely:
        if _complete(identity) and not any(same_list(identity, known) for known in told):
            told.append(dict(identity))
    return told


def places_of(row: OutboxRow) -> list[Identity]:
    """Where dfire may hold the row's coupon: as it was told, and where reconciliation has seen it."""
    told = told_identities(row.coupon) if row.coupon is not None else []
    seen: Identity | None = row.details.get("seen")
    if seen and not any(same_list(seen, known) for known in told):
        told.append(dict(seen))
    return told


def told_identity(coupon: IssuedCoupon) -> Identity | None:
    """The likeliest of them."""
    return next(iter(told_identities(coupon)), None)


def over_at_dfire(coupon: IssuedCoupon, today: date) -> bool:
    """Whether dfire's own end has passed on this Shanghai day.

    It names an end by 00:00 of the last day, which tills honour to its close. Where it has named none, the terms say.
    """
    end = coupon.dfire_valid_until
    return (local_day(end) if end is not None else last_day_of_use(coupon.version.terms)) < today


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


def same_list(one: Identity, other: Identity) -> bool:
    """Whether dfire keeps both in one list: a mobile number makes no difference there."""
    return (one.get("appid"), one.get("openid")) == (other.get("appid"), other.get("openid"))
