"""What a customer's list at dfire says against what we know of a coupon. Pure: no database, no network, no clock.

Only what dfire must show can be missing: neither what is over there by its own dates, nor what was never to be there.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coupons.choices import CouponStatus, Delivery, Source
from coupons.models import IssuedCoupon
from integrations.dfire import CouponState
from integrations.models.reconcile import Drift, Repair

_REPAIRS = {
    Drift.MISSING_THERE: Repair.DELIVER_AGAIN,
    Drift.REDEEMED_THERE: Repair.REDEEM_HERE,
    Drift.STILL_HELD: Repair.WITHDRAW_THERE,
    Drift.UNDELIVERED_HERE: Repair.TAKE_DELIVERED,
}
_OVER = (CouponStatus.REVOKED, CouponStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A line of a customer's list: whose list it was, under which identity, and what it says."""

    code: str
    state: CouponState
    customer_id: int
    appid: str
    openid: str

    @property
    def weight(self) -> int:
        """Which of two lines about one code counts: used, then held, then given on."""
        return {CouponState.USED: 2, CouponState.HELD: 1}.get(self.state, 0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A drift, what mends it ("" = staff can only accept it), and the facts of both sides."""

    kind: Drift
    repair: str
    details: dict[str, Any] = field(default_factory=dict)


def difference(
    coupon: IssuedCoupon, sighting: Sighting | None, *, at_home: bool, over_there: bool
) -> Difference | None:
    """In what dfire's list and the coupon disagree; None if they agree, or if nothing follows from the list.

    Args:
        sighting: the line that counts, or None where every list that may hold the coupon was read without one.
        at_home: the line stood in a list under which dfire was told of the coupon.
        over_there: dfire's own end of it has passed.
    """
    if sighting is None:
        return None if over_there else _absent(coupon)
    if sighting.state == CouponState.USED:
        return None if coupon.status == CouponStatus.REDEEMED else _made(Drift.REDEEMED_THERE, coupon, sighting)
    if sighting.state == CouponState.TRANSFERRED:
        given_on = at_home and coupon.status != CouponStatus.REDEEMED and not over_there
        return _made(Drift.HOLDER_DIFFERS, coupon, sighting) if given_on else None
    return None if over_there else _held(coupon, sighting, at_home)


def unknown(sighting: Sighting) -> Difference | None:
    """A line whose code is none of ours. What was given on will be found where it is now."""
    if sighting.state == CouponState.TRANSFERRED:
        return None
    repair = Repair.WITHDRAW_THERE if sighting.state == CouponState.HELD else ""
    return Difference(Drift.UNKNOWN_HERE, repair, _there(sighting))


def _held(coupon: IssuedCoupon, sighting: Sighting, at_home: bool) -> Difference | None:
    if coupon.status == CouponStatus.REDEEMED:
        return _made(Drift.REDEEMED_HERE, coupon, sighting, Repair.VERIFY_THERE)
    if coupon.status in _OVER:
        return _made(Drift.STILL_HELD, coupon, sighting)
    if coupon.status == CouponStatus.REDEEMING:
        return None  # its redemption is on the way to dfire
    if not at_home:
        return _made(Drift.HOLDER_DIFFERS, coupon, sighting, Repair.BRING_HOME)
    return _made(Drift.UNDELIVERED_HERE, coupon, sighting) if coupon.delivery != Delivery.DELIVERED else None


def _absent(coupon: IssuedCoupon) -> Difference | None:
    if coupon.status == CouponStatus.ISSUED and coupon.delivery != Delivery.FAILED:  # failed ones stand in the outbox
        return _made(Drift.MISSING_THERE, coupon, None)
    delivered = coupon.delivery == Delivery.DELIVERED
    if coupon.status == CouponStatus.REDEEMED and coupon.redeemed_through != Source.TILL and delivered:
        return _made(Drift.REDEEMED_HERE, coupon, None)
    return None


def _made(kind: Drift, coupon: IssuedCoupon, sighting: Sighting | None, repair: str | None = None) -> Difference:
    if repair is None:
        repair = _REPAIRS.get(kind, "")
    here = {"status": str(coupon.status), "delivery": str(coupon.delivery)}
    return Difference(kind, repair, here | _there(sighting))


def _there(sighting: Sighting | None) -> dict[str, Any]:
    if sighting is None:
        return {"there": "absent"}
    return {"there": str(sighting.state), "appid": sighting.appid, "openid": sighting.openid}


def heavier(one: Sighting | None, other: Sighting) -> Sighting:
    """The line that counts of two about the same code."""
    return other if one is None or other.weight > one.weight else one


def expiring_now(coupon: IssuedCoupon, now: datetime) -> bool:
    """Whether its end has passed and the clock has not come by yet: its withdrawal is still to follow."""
    return coupon.status == CouponStatus.ISSUED and coupon.valid_until < now
