"""What is asked of one coupon and done to it: can it be used, take it back, give it to another."""

from django.utils import timezone
from rest_framework import status

from coupons import lifecycle
from coupons.checking import check
from coupons.rules import Question
from integrations.models.partners import Scope
from integrations.partner_api.customers import named
from integrations.partner_api.fields import CheckCall, RevokeCall, TransferCall, read
from integrations.partner_api.owned import coupon_of
from integrations.partner_api.shapes import coupon_shape, judgement_shape
from integrations.partner_api.view import Answer, ApiView
from integrations.strict_json import JsonObject
from merchants.models import Customer


class CheckCoupon(ApiView):
    """`POST coupons/{code}/check/`: the same rules as everywhere; nothing is changed."""

    scopes = {"POST": Scope.COUPONS_READ}

    def do(self, body: JsonObject) -> Answer:
        """Judge the coupon."""
        coupon, said = coupon_of(self.app, self.kwargs["code"]), read(CheckCall, body)
        self.about = coupon
        question = Question(
            moment=said.get("at") or timezone.now(),
            shop_entity_id=said.get("shop_entity_id"),
            amount_fen=said.get("amount_fen"),
            channel=said.get("channel"),
        )
        return status.HTTP_200_OK, judgement_shape(check(coupon, question))


class TransferCoupon(ApiView):
    """`POST coupons/{code}/transfer/`: the receiver holds it at once here; `delivery` says how far dfire is."""

    scopes = {"POST": Scope.COUPONS_MANAGE}

    def do(self, body: JsonObject) -> Answer:
        """Give the coupon to another customer of its merchant; to its present holder, nothing happens."""
        found, said = coupon_of(self.app, self.kwargs["code"]), read(TransferCall, body)
        receiver = named(found.merchant, said, prefix="to_")
        receiver = Customer.objects.select_for_update(no_key=True).get(pk=receiver.pk)  # customers before coupons
        lifecycle.transfer(lifecycle.lock([found.pk])[0], receiver, actor=f"api:{self.app.name}")
        return status.HTTP_202_ACCEPTED, coupon_shape(coupon_of(self.app, found.code))


class RevokeCoupon(ApiView):
    """`POST coupons/{code}/revoke/`: at once here, behind it at dfire. Again = the same answer."""

    scopes = {"POST": Scope.COUPONS_MANAGE}

    def do(self, body: JsonObject) -> Answer:
        """Take the coupon back."""
        found, said = coupon_of(self.app, self.kwargs["code"]), read(RevokeCall, body)
        lifecycle.revoke(lifecycle.lock([found.pk])[0], reason=said["reason"], actor=f"api:{self.app.name}")
        return status.HTTP_200_OK, coupon_shape(coupon_of(self.app, found.code))
