"""What the rest of the portal may want to know. Sent inside the transaction that makes it true, so that a receiver's
own rows stand or fall with it; a receiver that raises undoes the change.

Each signal's keyword arguments are named beside it.
"""

from django.dispatch import Signal

template_published = Signal()  # template: CouponTemplate - it is issued from now on, for the first time or again
template_ended = Signal()  # template: CouponTemplate - nothing is issued of it any more
version_published = Signal()  # version: TemplateVersion - its terms are new, or a till must be told again
template_deleted = Signal()  # template: CouponTemplate, promotion_ids: list[str] - sent before the row goes
coupon_issued = Signal()  # version: TemplateVersion, coupon: IssuedCoupon
coupons_issued = Signal()  # version: TemplateVersion, issued: list[coupons.issuing.Issued] - one signal for many
coupons_redeemed = Signal()  # coupons: list[IssuedCoupon]
coupons_revoked = Signal()  # coupons: list[IssuedCoupon]
coupons_expired = Signal()  # coupons: list[IssuedCoupon]
coupons_delivered = Signal()  # coupons: list[IssuedCoupon] - dfire holds them for their holders
coupon_transferred = Signal()  # coupon: IssuedCoupon, giver: Customer
transfer_undone = Signal()  # coupon: IssuedCoupon - it is its giver's again
delivery_wanted = Signal()  # coupon: IssuedCoupon - staff ask for another try
batch_wanted = Signal()  # batch: Batch - there is work to do on it
customer_file_wanted = Signal()  # file: CustomerFile - there is work to do on it
