"""A coupon that dfire holds, a partner that redeems it, and what both sides say of it afterwards."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from coupons import figures as kept
from coupons.models import CouponTemplate, DayFigures, IssuedCoupon
from coupons.models.figures import SUMMED
from integrations.models import OutboxRow, PartnerOrder
from integrations.outbox import engine
from tests.api.caller import Caller
from tests.factories import issued
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

    def renew(self) -> None:
        """Another coupon of another customer in the place of this one."""
        self.coupon = issued(self.template)
        engine.drain()
        self.coupon.refresh_from_db()
        assert self.coupon.delivery == "delivered"

    def verifies(self) -> int:
        """How often dfire was told to spend the coupon."""
        return sum(sent["thirdDeliverCode"] == self.coupon.code for sent in self.dfire.calls(VERIFY))

    def redeem(self, order_id: str = "o-1", *, headers: dict[str, str] | None = None, **changes: Any) -> Any:
        """The call."""
        return self.api.post(f"coupons/{self.coupon.code}/redeem/", order(order_id, **changes), **(headers or {}))

    def fresh(self) -> IssuedCoupon:
        """The coupon as it is now."""
        return IssuedCoupon.objects.get(pk=self.coupon.pk)

    def order(self, order_id: str = "o-1") -> PartnerOrder:
        """The order as it is kept."""
        return PartnerOrder.objects.get(coupon=self.coupon, order_id=order_id)

    def row(self) -> OutboxRow:
        """What is or was to be told to dfire of the last order."""
        return OutboxRow.objects.filter(coupon=self.coupon, kind="verify").latest("id")

    def spent(self) -> dict[str, Any]:
        """dfire's row of the coupon; it never holds one used twice."""
        row = self.dfire.coupon(self.coupon.code)
        assert row is not None
        assert self.dfire.totals()["used_twice"] == 0
        return row


def figures() -> dict[str, int]:
    """The figures that are not nought, once it is certain that they agree with the coupons."""
    assert kept.check() == 0
    totals = DayFigures.objects.aggregate(**{name: Sum(name, default=0) for name in SUMMED})
    return {name: value for name, value in totals.items() if value}
