"""What the rest of the portal may want to know. Sent inside the transaction that makes it true, so that a receiver's
own rows stand or fall with it; a receiver that raises undoes the change.

Each signal's keyword arguments are named beside it.
"""

from django.dispatch import Signal

version_published = Signal()  # version: TemplateVersion - its terms are new, or a till must be told again
template_deleted = Signal()  # template: CouponTemplate, promotion_ids: list[str] - sent before the row goes
coupons_issued = Signal()  # version: TemplateVersion, coupons: list[IssuedCoupon] - one signal a batch
coupons_redeemed = Signal()  # coupons: list[IssuedCoupon]
coupons_revoked = Signal()  # coupons: list[IssuedCoupon]
coupons_expired = Signal()  # coupons: list[IssuedCoupon]
coupon_transferred = Signal()  # coupon: IssuedCoupon, giver: Customer
delivery_wanted = Signal()  # coupon: IssuedCoupon - staff ask for another try
batch_wanted = Signal()  # batch: Batch - there is work to do on it
