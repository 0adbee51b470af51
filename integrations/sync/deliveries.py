"""Bringing coupons into customers' hands at dfire and taking them back (seed 003 §2, §3, §8; PROTOCOLS §1).

There is no idempotency key: after an unknown outcome the customer's list is read, under the very identity that the
attempt used, and only what is twice not there is sent again.
"""

from typing import Any

from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery, EventKind
from coupons.lifecycle import Holding
from coupons.models import IssuedCoupon
from integrations.dfire import CouponState, CustomerPromotion, DfireError, EmptyError
from integrations.dfire import Delivery as DfireDelivery
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import Phase, RowKind
from integrations.outbox import verdicts
from integrations.outbox.handlers import Call, Drop, Handler, Wait
from integrations.sync.words import APPID_MISSING, MOBILE_MISSING, NEVER_SENT, NOT_NEEDED, OPENID_MISSING
from merchants.models import Customer, Merchant

Identity = dict[str, str]


def missing_binding(customer: Customer, merchant: Merchant) -> str:
    """What a delivery still lacks (a key of `words`), or nothing."""
    if not merchant.appid:
        return APPID_MISSING
    if not customer.openid:
        return OPENID_MISSING
    return "" if customer.mobile else MOBILE_MISSING


def told_identity(coupon: IssuedCoupon) -> Identity | None:
    """Under whom dfire holds the coupon, or was last asked to; None if it was never told of it."""
    if coupon.delivered_openid:
        return {
            "appid": coupon.delivered_appid,
            "openid": coupon.delivered_openid,
            "mobile": coupon.delivered_mobile,
        }
    attempt = (
        OutboxAttempt.objects.filter(row__coupon=coupon, row__kind=RowKind.DELIVER, phase=Phase.SEND)
        .order_by("-id")
        .first()
    )
    return dict(attempt.identity) if attempt else None


def look_up(row: OutboxRow, identity: Identity) -> Call:
    """The question whether dfire holds the row's coupon: the list of the customer under that identity."""
    merchant = row.merchant
    return Call(
        "dfire.shop.customer.query.promotion",
        lambda client: client.query_customer_promotions(
            entity_id=merchant.entity_id,
            plate_entity_id=merchant.plate_entity_id,
            appid=identity["appid"],
            openid=identity["openid"],
        ),
        identity,
    )


def find_coupon(promotions: list[CustomerPromotion], coupon: IssuedCoupon) -> CustomerPromotion | None:
    """The coupon in a customer's list."""
    return next((found for found in promotions if found.code == coupon.code), None)


def _coupon(row: OutboxRow) -> IssuedCoupon:
    assert row.coupon is not None  # noqa: S101  (rows of these kinds always have one)
    return row.coupon


class Deliver(Handler):
    """Gives an issued coupon to its customer at dfire."""

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Deliver if the coupon is still to be delivered and the customer's identity is complete; else ask or wait."""
        coupon, merchant = _coupon(row), row.merchant
        if row.phase != Phase.SEND:
            told = told_identity(coupon)
            return look_up(row, told) if told else Drop(NEVER_SENT)
        if lifecycle.status_now(coupon) != CouponStatus.ISSUED or coupon.delivery == Delivery.DELIVERED:
            return Drop(NOT_NEEDED)
        customer = coupon.customer
        if missing := missing_binding(customer, merchant):
            return Wait(missing)
        identity = {"appid": merchant.appid, "openid": customer.openid, "mobile": customer.mobile}
        return Call(
            "dfire.shop.deliver.promotion",
            lambda client: client.deliver_promotion(
                entity_id=merchant.entity_id,
                plate_entity_id=merchant.plate_entity_id,
                promotion_id=coupon.version.promotion_id,
                code=coupon.code,
                **identity,
            ),
            identity,
        )

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Delivered as dfire said, or as its list shows."""
        if row.phase == Phase.SEND:
            self._delivered(row, value)
        else:
            self._seen(row, find_coupon(value, _coupon(row)))

    def _delivered(self, row: OutboxRow, answer: DfireDelivery) -> None:
        lifecycle.mark_delivered(_coupon(row), _holding(row, answer))
        if row.resends:
            verdicts.look_again_later(row)
        else:
            verdicts.done(row)

    def _seen(self, row: OutboxRow, found: CustomerPromotion | None) -> None:
        coupon = _coupon(row)
        if found is None:
            if row.phase == Phase.ASK:
                verdicts.seen_absent(row)
            else:
                lifecycle.flag(coupon, "vanished_at_dfire")
                verdicts.done(row)
            return
        lifecycle.mark_delivered(coupon, _holding(row, None), details={"seen_in_list": True})
        _take_over_state(coupon, found)
        verdicts.done(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """For staff: the coupon exists here and not there."""
        verdicts.dead(row, code=error.code, message=error.message)
        details = {"code": error.code, "message": error.message}
        lifecycle.mark_delivery(_coupon(row), Delivery.FAILED, details=details)

    def waits(self, row: OutboxRow, why: str) -> None:
        """Show it at the coupon too."""
        lifecycle.mark_delivery(_coupon(row), Delivery.WAITING, details={"missing": why})


class Withdraw(Handler):
    """Takes a revoked or expired coupon back at dfire. A till that redeemed it first wins."""

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Delete it under the identity that dfire was told, or look what became of it."""
        coupon, merchant = _coupon(row), row.merchant
        told = told_identity(coupon)
        if told is None:
            return Drop(NEVER_SENT)
        if row.phase != Phase.SEND:
            return look_up(row, told)
        if coupon.status not in (CouponStatus.REVOKED, CouponStatus.EXPIRED):
            return Drop(NOT_NEEDED)
        return Call(
            "dfire.shop.delete.customer.promotion",
            lambda client: client.delete_customer_promotion(
                entity_id=merchant.entity_id,
                plate_entity_id=merchant.plate_entity_id,
                promotion_id=coupon.version.promotion_id,
                code=coupon.code,
                **told,
            ),
            told,
        )

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Gone as dfire said, or as its list shows; used there means that the till was first."""
        coupon = _coupon(row)
        if row.phase == Phase.SEND:
            self._gone(row)
            return
        found = find_coupon(value, coupon)
        if found is None:
            self._gone(row)
        elif found.state == CouponState.HELD and row.details.get("refused"):
            verdicts.dead(row)
            lifecycle.note(
                coupon, EventKind.WITHDRAWAL_FAILED, lifecycle.DFIRE, {"message": row.last_message}
            )
        elif found.state == CouponState.HELD:
            verdicts.send(row)
        else:
            _take_over_state(coupon, found)
            verdicts.done(row)

    def _gone(self, row: OutboxRow) -> None:
        lifecycle.note(_coupon(row), EventKind.WITHDRAWN, lifecycle.DFIRE)
        verdicts.done(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """Not there means gone; any other refusal is looked into first: the till may have been faster."""
        if isinstance(error, EmptyError):
            self._gone(row)
        elif row.phase == Phase.SEND:
            row.details = {**row.details, "refused": True}
            row.phase = Phase.ASK
            verdicts.again_at_once(row)
        else:
            verdicts.dead(row, code=error.code, message=error.message)
            lifecycle.note(
                _coupon(row), EventKind.WITHDRAWAL_FAILED, lifecycle.DFIRE, {"message": error.message}
            )


def _holding(row: OutboxRow, answer: DfireDelivery | None) -> Holding:
    """Under whom dfire holds the coupon now: the identity of the attempt that was answered."""
    told = told_identity(_coupon(row)) or {}
    attempt = row.attempts.filter(phase=Phase.SEND).order_by("-id").first()
    identity = attempt.identity if attempt else told
    return Holding(
        appid=identity.get("appid", ""),
        openid=identity.get("openid", ""),
        mobile=identity.get("mobile", ""),
        valid_until=answer.valid_until if answer else None,
    )


def _take_over_state(coupon: IssuedCoupon, found: CustomerPromotion) -> None:
    """Believe dfire's list: used there is redeemed here, given on there is for staff to look at."""
    if found.state == CouponState.USED:
        lifecycle.redeem_at_till(coupon, at=timezone.now(), details={"seen_in_list": True})
    elif found.state == CouponState.TRANSFERRED:
        lifecycle.flag(coupon, "transferred_at_dfire")
