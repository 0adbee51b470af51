"""The models of this application, one module for each thing."""

from coupons.models.coupon import IssuedCoupon
from coupons.models.event import CouponEvent
from coupons.models.template import CouponTemplate, TemplateVersion

__all__ = ["CouponEvent", "CouponTemplate", "IssuedCoupon", "TemplateVersion"]
