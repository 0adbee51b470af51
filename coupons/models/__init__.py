"""The models of this application, one module for each thing."""

from coupons.models.approval import Approval, DoneAlone
from coupons.models.batch import Batch, BatchRow
from coupons.models.coupon import IssuedCoupon
from coupons.models.event import CouponEvent
from coupons.models.figures import DayFigures, RolledFigures
from coupons.models.reissue import Reissue
from coupons.models.template import CouponTemplate, TemplateVersion

__all__ = [
    "Approval",
    "Batch",
    "BatchRow",
    "CouponEvent",
    "CouponTemplate",
    "DayFigures",
    "DoneAlone",
    "IssuedCoupon",
    "Reissue",
    "RolledFigures",
    "TemplateVersion",
]
