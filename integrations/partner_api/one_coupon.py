"""What is asked of one coupon and done to it: can it be used, and take it back."""

from django.utils import timezone
from rest_framework import status

from coupons import lifecycle
from coupons.checking import check
from coupons.rules import Question
from integrations.models.partners import Scope
from integrations.partner_api.fields import CheckCall, RevokeCall, read
from integrations.partner_api.owned import coupon_of
from integrations.partner_api.shapes import coupon_shape, judgement_shape
from integrations.partner_api.view import Answer, ApiView
from integrations.strict_json import JsonObject


class CheckCoupon(ApiView):
    """`POST coupons/{code}/check/`: the same rules as everywhere; nothing is changed."""

    scopes = {"POST": Scope.COUPONS_READ}

    def do(self, body: JsonObject) -> Answer:
        """Judge the coupon."""
        coupon, said = coupon_of(self.app, self.kwargs["code"]), read(CheckCall, body)
        question = Question(
            moment=said.get("at") or timezone.now(),
            shop_entity_id=said.get("shop_entity_id"),
            amount_fen=said.get("amount_fen"),
            channel=said.get("channel"),
        )
        return status.HTTP_200_OK, judgement_shape(check(coupon, question))


class RevokeCoupon(ApiView):
    """`POST coupons/{code}/revoke/`: at once here, behind it at dfire. Again = the same answer."""

    scopes = {"POST": Scope.COUPONS_MANAGE}

    def do(self, body: JsonObject) -> Answer:
        """Take the coupon back."""
        found, said = coupon_of(self.app, self.kwargs["code"]), read(RevokeCall, body)
        lifecycle.revoke(lifecycle.lock([found.pk])[0], reason=said["reason"], actor=f"api:{self.app.name}")
        return status.HTTP_200_OK, coupon_shape(coupon_of(self.app, found.code))
