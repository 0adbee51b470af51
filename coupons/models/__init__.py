"""The models of this application, one module for each thing."""

from coupons.models.batch import Batch, BatchRow
from coupons.models.coupon import IssuedCoupon
from coupons.models.event import CouponEvent
from coupons.models.figures import DayFigures, RolledFigures
from coupons.models.reissue import Reissue
from coupons.models.template import CouponTemplate, TemplateVersion

__all__ = [
    "Batch",
    "BatchRow",
    "CouponEvent",
    "CouponTemplate",
    "DayFigures",
    "IssuedCoupon",
    "Reissue",
    "RolledFigures",
    "TemplateVersion",
]
