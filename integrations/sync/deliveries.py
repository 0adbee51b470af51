"""Bringing coupons into customers' hands at dfire (seed 003 §2, §3; PROTOCOLS §1).

There is no idempotency key: after an unknown outcome the customer's list is read, under the very identity that the
attempt used, and only what is twice not there is sent again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.issuing import Issued
from coupons.lifecycle import Holding
from coupons.models import IssuedCoupon
from integrations.dfire import CouponState, CustomerPromotion, DfireError
from integrations.dfire import Delivery as DfireDelivery
from integrations.models import OutboxRow
from integrations.models.outbox import UNSETTLED, Phase, RowKind
from integrations.outbox import verdicts
from integrations.outbox.handlers import Call, Drop, Handler, Sent, Wait
from integrations.sync.identities import CUSTOMER, Identity, identity_of, may_be_held, places_of
from integrations.sync.words import APPID_MISSING, MOBILE_MISSING, NOT_NEEDED, OPENID_MISSING
from merchants.models import Customer, Merchant


def missing_binding(customer: Customer | Issued, merchant: Merchant) -> str:
    """What a delivery still lacks (a key of `words`), or nothing."""
    if not merchant.appid:
        return APPID_MISSING
    if not customer.openid:
        return OPENID_MISSING
    return "" if customer.mobile else MOBILE_MISSING


def coupon_of(row: OutboxRow) -> IssuedCoupon:
    """The row's coupon; rows about coupons always have one."""
    assert row.coupon is not None  # nosec B101 # for the type checker
    return row.coupon


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
    return find_code(promotions, coupon.code)


def find_code(promotions: list[CustomerPromotion], code: str) -> CustomerPromotion | None:
    """A code in a customer's list."""
    return next((found for found in promotions if found.code == code), None)


def take_over_state(coupon: IssuedCoupon, found: CustomerPromotion) -> None:
    """Believe dfire's list: used there is redeemed here, given on there is for staff to look at."""
    if found.state == CouponState.USED:
        lifecycle.redeem_at_till(coupon, at=timezone.now(), details={"seen_in_list": True})
    elif found.state == CouponState.TRANSFERRED:
        lifecycle.flag(coupon, "transferred_at_dfire")


class Deliver(Handler):
    """Gives an issued coupon to its customer at dfire."""

    settles_together = True

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Deliver if the coupon is still to be delivered and the customer's identity is complete; else ask or wait."""
        coupon = coupon_of(row)
        if row.phase != Phase.SEND:
            if places := places_of(row):
                return look_up(row, places[row.absences % len(places)])
            if may_be_held(coupon):  # under an openid that is not known here any more
                return Wait(missing_binding(coupon.customer, row.merchant))
            row.phase = Phase.SEND  # a late answer has shown that nothing had happened
        if not _wanted(coupon):
            return Drop(NOT_NEEDED)
        if missing := missing_binding(coupon.customer, row.merchant):
            return Wait(missing)
        return delivery(row)

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Delivered as dfire said, or as its list shows."""
        if row.phase == Phase.SEND:
            self._delivered(row, value)
            return
        found = find_coupon(value, coupon_of(row))
        if found is not None:
            self._seen(row, found)
        elif row.phase == Phase.ASK:
            self._not_seen(row)
        else:
            self._vanished(row)

    def all_sent(self, sent: Sequence[Sent]) -> None:
        """Delivered as dfire said; who has been given on since is looked at one by one."""
        openids = dict(
            Customer.objects.filter(coupons__in=[one.row.coupon_id for one in sent]).values_list("pk", "openid")
        )
        at_home: list[tuple[IssuedCoupon, Holding]] = []
        for one in sent:
            coupon, holding = coupon_of(one.row), _holding(one.identity, one.value.valid_until)
            if openids[coupon.customer_id] == holding.openid:
                at_home.append((coupon, holding))
            else:
                _arrived(one.row, holding)
        if at_home:
            lifecycle.mark_all_delivered(at_home)
        for one in sent:
            self._sent(one.row)

    def _delivered(self, row: OutboxRow, answer: DfireDelivery) -> None:
        _arrived(row, holding_of(row, answer))
        self._sent(row)

    def _sent(self, row: OutboxRow) -> None:
        if row.resends:
            verdicts.look_again_later(row)
        else:
            verdicts.done(row)

    def _seen(self, row: OutboxRow, found: CustomerPromotion) -> None:
        coupon = coupon_of(row)
        _arrived(row, holding_of(row), details={"seen_in_list": True})
        take_over_state(coupon, found)
        verdicts.done(row)

    def _not_seen(self, row: OutboxRow) -> None:
        if not verdicts.seen_absent(row, places=len(places_of(row))):
            return
        if refused := row.details.get("refused"):
            self._give_up(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send_again(row)

    def _vanished(self, row: OutboxRow) -> None:
        coupon = coupon_of(row)
        if coupon.status == CouponStatus.ISSUED:
            lifecycle.flag(coupon, "vanished_at_dfire")
        verdicts.done(row)

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """For staff: the coupon exists here and not there. Where an earlier try may have happened, look first."""
        if row.phase == Phase.SEND and places_of(row) and not row.details.get("refused"):
            row.details = {**row.details, "refused": {"code": error.code, "message": error.message}}
            verdicts.ask_at_once(row)
        else:
            self._give_up(row, code=error.code, message=error.message)

    def _give_up(self, row: OutboxRow, *, code: str, message: str) -> None:
        if not _wanted(coupon_of(row)):
            verdicts.cancel(row, NOT_NEEDED)
            return
        verdicts.dead(row, code=code, message=message)
        lifecycle.mark_delivery(coupon_of(row), Delivery.FAILED, details={"code": code, "message": message})

    def waits(self, row: OutboxRow, why: str) -> None:
        """Show it at the coupon too."""
        lifecycle.mark_delivery(coupon_of(row), Delivery.WAITING, details={"missing": why})

    def fails(self, row: OutboxRow, why: str) -> None:
        """Show it at the coupon too."""
        lifecycle.mark_delivery(coupon_of(row), Delivery.FAILED, details={"code": "", "message": why})


def _wanted(coupon: IssuedCoupon) -> bool:
    return lifecycle.status_now(coupon) == CouponStatus.ISSUED and coupon.delivery != Delivery.DELIVERED


def _arrived(row: OutboxRow, holding: Holding, details: dict[str, Any] | None = None) -> None:
    """dfire holds it. Where it has been given on since, it is not delivered before that is done too."""
    coupon = coupon_of(row)
    if coupon.customer.openid != holding.openid and _is_given_on(coupon):
        lifecycle.record_holding(coupon, holding)
    else:
        lifecycle.mark_delivered(coupon, holding, details=details)


def _is_given_on(coupon: IssuedCoupon) -> bool:
    return OutboxRow.objects.filter(coupon=coupon, kind=RowKind.TRANSFER, state__in=UNSETTLED).exists()


def delivery(row: OutboxRow) -> Call:
    """The call that gives the row's coupon to its present holder."""
    coupon, merchant = coupon_of(row), row.merchant
    customer, promotion_id = coupon.customer, coupon.version.promotion_id
    identity = identity_of(customer, merchant)
    return Call(
        "dfire.shop.deliver.promotion",
        lambda client: client.deliver_promotion(
            entity_id=merchant.entity_id,
            plate_entity_id=merchant.plate_entity_id,
            promotion_id=promotion_id,
            code=coupon.code,
            **identity,
        ),
        {**identity, CUSTOMER: str(customer.pk)},
    )


def holding_of(row: OutboxRow, answer: DfireDelivery | None = None) -> Holding:
    """Under whom dfire holds the coupon now: the identity of the attempt that was just answered."""
    identity = row.attempts.latest("id").identity
    return _holding(identity, answer.valid_until if answer else coupon_of(row).dfire_valid_until)


def _holding(identity: Mapping[str, str], valid_until: datetime | None) -> Holding:
    return Holding(
        appid=identity["appid"], openid=identity["openid"], mobile=identity["mobile"], valid_until=valid_until
    )
