"""`POST coupons/{code}/redeem/`: a partner's application spends a coupon on an order, once.

Three steps. One transaction asks the rules and begins: from its commit on nobody else can have the coupon. Then dfire
is told, for two seconds at most. Then the order's present state is answered, also to whoever repeats it: it is the
order that makes the call idempotent, so an answer of "redeeming" is never kept for an `Idempotency-Key`.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from coupons import lifecycle
from coupons.checking import check
from coupons.errors import Reason, Refused
from coupons.models import IssuedCoupon
from coupons.rules import Question
from integrations.hooks.database import within_time
from integrations.models import PartnerOrder
from integrations.models.orders import OrderState
from integrations.models.partners import Scope
from integrations.outbox import at_once
from integrations.partner_api import idempotency
from integrations.partner_api.errors import ApiCode, ApiRefused, from_reason
from integrations.partner_api.fields import RedeemCall, read
from integrations.partner_api.owned import coupon_of
from integrations.partner_api.shapes import coupon_shape
from integrations.partner_api.view import Answer, ApiView
from integrations.strict_json import JsonObject
from integrations.sync import redemptions
from merchants.clock import local_day


class RedeemCoupon(ApiView):
    """Spend the coupon on an order. The same order again is told its present state."""

    scopes = {"POST": Scope.COUPONS_REDEEM}
    not_final = (status.HTTP_202_ACCEPTED,)
    order: PartnerOrder | None = None

    def do(self, body: JsonObject) -> Answer:
        """Begin, or find the order; what has become of it is looked at once this is committed (`follow_up`).

        Whoever repeats an order need not wait for the coupon's lock.
        """
        found, said = coupon_of(self.app, self.kwargs["code"]), read(RedeemCall, body)
        _refuse_the_future(said.get("order_date"))
        known = PartnerOrder.objects.filter(app=self.app, coupon=found, order_id=said["order_id"])
        self.order = known.first()
        if self.order is None:
            [coupon] = lifecycle.lock([found.pk])
            self.order = known.first() or self._begin(coupon, said)
        if (self.order.paid_fen, self.order.saved_fen) != (said["paid_fen"], said["saved_fen"]):
            field = "paid_fen" if self.order.paid_fen != said["paid_fen"] else "saved_fen"
            raise ApiRefused(ApiCode.ORDER_REUSED, gettext("This order came with other amounts before."), attr=field)
        return status.HTTP_202_ACCEPTED, None

    def follow_up(self, response: Response) -> Response:
        """Settle with dfire, and answer what has become of the order meanwhile."""
        order = self.order
        if order is None or response.status_code != status.HTTP_202_ACCEPTED:
            return response
        if order.state == OrderState.OPEN and order.row_id is not None:
            at_once.work(order.row_id, seconds=settings.REDEEM_WAIT_SECONDS)
        with within_time():
            order.refresh_from_db()
            try:
                code, data = self._present(order)
                answer = Response(data, status=code)
            except (Refused, APIException) as error:
                answer = self.refusal(error)
            idempotency.replace(self, answer)
        return answer

    def _begin(self, coupon: IssuedCoupon, said: dict[str, Any]) -> PartnerOrder:
        now = timezone.now()
        _ask_rules(coupon, said, now)
        return redemptions.begin(self.app, coupon, _order(said, now))

    def _present(self, order: PartnerOrder) -> Answer:
        """The order's present state.

        Raises:
            Refused, ApiRefused: it has not redeemed the coupon, and will not.
        """
        if order.state == OrderState.LOST:
            raise Refused(Reason.REDEEMED)
        if order.state == OrderState.REFUSED:
            words = gettext("dfire refuses: %(words)s") % {"words": f"{order.code} {order.message}".strip()}
            raise ApiRefused(ApiCode.DFIRE_REFUSED, words)
        if order.state == OrderState.UNDONE:
            raise ApiRefused(ApiCode.ORDER_UNDONE, gettext("Staff decided that this order did not redeem the coupon."))
        done = order.state == OrderState.REDEEMED
        shape = coupon_shape(coupon_of(self.app, self.kwargs["code"]))
        return (status.HTTP_200_OK if done else status.HTTP_202_ACCEPTED), shape


def _refuse_the_future(order_date: date | None) -> None:
    """Refuse a day later than tomorrow, up to which the caller's clock may be ahead of ours.

    Raises:
        ApiRefused
    """
    if order_date is not None and order_date > local_day(timezone.now()) + timedelta(days=1):
        raise ApiRefused(ApiCode.ORDER_AHEAD, gettext("This day lies in the future."), attr="order_date")


def _ask_rules(coupon: IssuedCoupon, said: dict[str, Any], now: datetime) -> None:
    """Ask the one set of rules about a locked coupon: now, for the bill before the coupon, in the shop if one is named.

    Raises:
        Refused, APIException: the first rule that refuses.
    """
    question = Question(
        moment=now,
        shop_entity_id=said.get("shop_entity_id"),
        amount_fen=said["paid_fen"] + said["saved_fen"],
    )
    for rule in check(coupon, question, now=now).reasons:
        if rule.code is not None:
            raise from_reason(rule.code, rule.words)
    if coupon.merchant.dfire_account_id is None:
        raise Refused(Reason.NOT_DELIVERED)
    if redemptions.is_asked_about(coupon):
        raise Refused(Reason.REDEEMING)


def _order(said: dict[str, Any], now: datetime) -> redemptions.Order:
    return redemptions.Order(
        order_id=said["order_id"],
        order_date=said.get("order_date") or local_day(now),
        paid_fen=said["paid_fen"],
        saved_fen=said["saved_fen"],
        shop_entity_id=said.get("shop_entity_id") or "",
    )
