"""A coupon that dfire holds, a partner that redeems it, and what both sides say of it afterwards."""

from dataclasses import dataclass
from typing import Any

from coupons.models import CouponTemplate, DayFigures, IssuedCoupon
from tests.api.caller import Caller
from tests.outbox.dfire import Dfire

VERIFY = "dfire.shop.verify.promotion"


def order(order_id: str = "o-1", **changes: Any) -> dict[str, Any]:
    """The body of a call: a bill of 66 yuan, of which the coupon takes 10."""
    return {"order_id": order_id, "paid_fen": 5600, "saved_fen": 1000, **changes}


@dataclass
class Scene:
    """One delivered coupon of merchant 88 and everybody around it."""

    api: Caller
    dfire: Dfire
    template: CouponTemplate
    coupon: IssuedCoupon

    def redeem(self, order_id: str = "o-1", *, headers: dict[str, str] | None = None, **changes: Any) -> Any:
        """The call."""
        return self.api.post(f"coupons/{self.coupon.code}/redeem/", order(order_id, **changes), **(headers or {}))

    def fresh(self) -> IssuedCoupon:
        """The coupon as it is now."""
        return IssuedCoupon.objects.get(pk=self.coupon.pk)

    def spent(self) -> dict[str, Any]:
        """dfire's row of the coupon; it never holds one used twice."""
        row = self.dfire.coupon(self.coupon.code)
        assert row is not None
        assert self.dfire.totals()["used_twice"] == 0
        return row


def figures(template: CouponTemplate) -> dict[str, int]:
    """What the figures say of the template's coupons."""
    names = ("issued", "delivered", "used", "redeemed", "saved_fen", "paid_fen", "spent_fen")
    rows = list(DayFigures.objects.filter(template=template))
    return {name: sum(getattr(row, name) for row in rows) for name in names}
