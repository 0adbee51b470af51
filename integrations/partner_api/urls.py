"""The addresses of the partner API, `/api/v1/`."""

from django.urls import path, re_path, register_converter

from integrations.partner_api.coupons import Coupons, OneCoupon
from integrations.partner_api.customers import OneCustomer
from integrations.partner_api.one_coupon import CheckCoupon, RevokeCoupon, TransferCoupon
from integrations.partner_api.redeeming import RedeemCoupon
from integrations.partner_api.templates import OneTemplate, Templates
from integrations.partner_api.view import Nowhere


class CodeConverter:
    """A coupon's code. Nothing longer reaches the database."""

    regex = "[0-9]{16}"

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


register_converter(CodeConverter, "coupon_code")

urlpatterns = [
    path("coupon-templates/", Templates.as_view(), name="api-templates"),
    path("coupon-templates/<slug:coupon_id>/", OneTemplate.as_view(), name="api-template"),
    path("coupons/", Coupons.as_view(), name="api-coupons"),
    path("coupons/<coupon_code:code>/", OneCoupon.as_view(), name="api-coupon"),
    path("coupons/<coupon_code:code>/check/", CheckCoupon.as_view(), name="api-check"),
    path("coupons/<coupon_code:code>/redeem/", RedeemCoupon.as_view(), name="api-redeem"),
    path("coupons/<coupon_code:code>/revoke/", RevokeCoupon.as_view(), name="api-revoke"),
    path("coupons/<coupon_code:code>/transfer/", TransferCoupon.as_view(), name="api-transfer"),
    path("customers/<str:identifier>/", OneCustomer.as_view(), name="api-customer"),
    re_path("", Nowhere.as_view(), name="api-nowhere"),
]
