"""`coupons/`: issued, listed, read."""

from typing import Any

from django.utils import timezone
from rest_framework import status

from coupons.choices import Source
from coupons.issuing import Through, issue
from coupons.models import CouponTemplate
from integrations.models.partners import Scope
from integrations.partner_api.customers import named
from integrations.partner_api.errors import not_found
from integrations.partner_api.fields import CouponsQuery, IssueCall, read, read_query
from integrations.partner_api.owned import coupon_told, coupons_of, in_status, merchant_of
from integrations.partner_api.pages import page_of
from integrations.partner_api.shapes import coupon_shape
from integrations.partner_api.view import Answer, ApiView
from integrations.strict_json import JsonObject
from merchants.models import Customer


class Coupons(ApiView):
    """All of them, newest first, and the door to issue one."""

    scopes = {"GET": Scope.COUPONS_READ, "POST": Scope.COUPONS_ISSUE}

    def read(self) -> Any:
        """A page of coupons."""
        asked = read_query(CouponsQuery, self.request.query_params)
        now, rows = timezone.now(), coupons_of(self.app)
        if "merchant_id" in asked:
            rows = rows.filter(merchant=merchant_of(self.app, asked["merchant_id"]))
        if "identifier" in asked:
            # Looked up first, so that the coupons are found by their holder.
            holders = Customer.objects.filter(merchant__in=self.app.merchants.all(), identifier=asked["identifier"])
            rows = rows.filter(customer__in=list(holders.values_list("pk", flat=True)))
        if "status" in asked:
            rows = rows.filter(in_status(asked["status"], now))
        return page_of(rows, self.request, lambda coupon: coupon_shape(coupon, now))

    def do(self, body: JsonObject) -> Answer:
        """Issue one coupon to one customer."""
        said = read(IssueCall, body)
        merchant = merchant_of(self.app, said["merchant_id"])
        template = CouponTemplate.objects.filter(merchant=merchant, coupon_id=said["coupon_id"]).first()
        if template is None:
            raise not_found("coupon_id")
        coupon = issue(
            template=template,
            customer=named(merchant, said),
            through=Through(source=Source.API, actor=f"api:{self.app.name}"),
            valid_until=said.get("expiration_time"),
        )
        self.about = coupon_told(self.app, coupon.code)
        return status.HTTP_201_CREATED, coupon_shape(self.about)


class OneCoupon(ApiView):
    """One by its code."""

    scopes = {"GET": Scope.COUPONS_READ}

    def read(self) -> Any:
        """The coupon."""
        self.about = coupon_told(self.app, self.kwargs["code"])
        return coupon_shape(self.about)
