"""Moving a coupon to its new holder at dfire (seed 003 §7; PROTOCOLS §1 "Methods", no. 7).

The seed misprints the method, so an account names it, or it is done in two steps: taken from the giver, then given to
the receiver under the same code. What is to be done next is read from where the coupon is now, never remembered, so
that it goes on from wherever it was cut off, and follows a coupon that is given on again meanwhile.
"""

from typing import Any

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.lifecycle import Holding
from coupons.models import IssuedCoupon
from integrations.dfire import CouponState, CustomerPromotion, DfireError, EmptyError
from integrations.dfire import Delivery as DfireDelivery
from integrations.dfire.methods import DELETE_CUSTOMER_PROMOTION, DELIVER_PROMOTION, moves_coupons
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import Phase
from integrations.outbox import verdicts
from integrations.outbox.handlers import Call, Drop, Handler, Wait
from integrations.sync.deliveries import (
    coupon_of,
    delivery,
    find_coupon,
    holding_of,
    look_up,
    missing_binding,
    take_over_state,
)
from integrations.sync.identities import (
    CUSTOMER,
    TAKEN,
    Identity,
    holder_at_dfire,
    identity_of,
    same_list,
    told_identities,
)
from integrations.sync.withdrawals import withdrawal
from integrations.sync.words import NOT_NEEDED
from merchants.models import Customer

GIVER = "giver"  # in a row's details: the customer whom a refused coupon goes back to
BACK = "back"  # and to whom it is on its way back
REFUSED = "transfer_refused"
TILL_WAS_FIRST = "redeemed_before_transfer"


def redeemed_meanwhile(row: OutboxRow, coupon: IssuedCoupon) -> bool:
    """A till has redeemed a locked coupon before its transfer was over: where dfire held it, there it stays.

    Returns:
        Whether that settles it. A transfer by dfire's own call that may have happened is asked about first.
    """
    sent = _last_sent(row)
    if row.phase != Phase.SEND and sent is not None and _is_native(sent):
        return False
    _stays_with_its_giver(coupon)
    return True


class Transfer(Handler):
    """Brings a coupon from whoever dfire holds it under to the customer whose it is here."""

    def plan(self, row: OutboxRow) -> Call | Wait | Drop:
        """Take it, or give it, or ask what became of that. The receiver must be complete before anything is taken."""
        coupon = coupon_of(row)
        if row.phase != Phase.SEND:
            if told := told_identities(coupon):
                return look_up(row, told[row.absences % len(told)])
            row.phase = Phase.SEND
        if lifecycle.status_now(coupon) != CouponStatus.ISSUED:
            return Drop(NOT_NEEDED)
        if missing := missing_binding(coupon.customer, row.merchant):
            return Wait(missing)
        if not coupon.delivered_openid:
            return delivery(row)
        held = told_identities(coupon)[0]
        if _is_with_its_holder(coupon, row):
            row.phase = Phase.ASK  # it was given back and forth, and perhaps never left
            return look_up(row, held)
        if row.account is not None and moves_coupons(row.account.transfer_method):
            return _native(row, held, row.account.transfer_method.strip())
        return withdrawal(row, held)

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        """Taken or given as dfire said, or as its lists show."""
        coupon = coupon_of(row)
        if row.phase == Phase.SEND:
            if _takes(_last_sent(row)):
                self._taken(row)
            else:
                self._arrived(row, holding_of(row, value if isinstance(value, DfireDelivery) else None))
        elif not coupon.delivered_openid:
            self._asked_receiver(row, find_coupon(value, coupon))
        elif _is_with_its_holder(coupon, row):
            self._looked_again(row, find_coupon(value, coupon))
        else:
            self._asked_giver(row, find_coupon(value, coupon))

    def refused(self, row: OutboxRow, error: DfireError) -> None:
        """The giver may have spent it, or the receiver may not have it: look, and bring it back if need be."""
        sending, sent = row.phase == Phase.SEND, _last_sent(row)
        if sending and _takes(sent) and isinstance(error, EmptyError):
            self._taken(row)
        elif sending and told_identities(coupon_of(row)) and "refused" not in row.details:
            row.details = {**row.details, "refused": {"code": error.code, "message": error.message}}
            verdicts.ask_at_once(row)
        elif sending and sent is not None and sent.method == DELIVER_PROMOTION:
            self._receiver_refused(row, code=error.code, message=error.message)
        else:
            self._give_up(row, code=error.code, message=error.message)

    def waits(self, row: OutboxRow, why: str) -> None:
        """Show it at the coupon too."""
        lifecycle.mark_delivery(coupon_of(row), Delivery.WAITING, details={"missing": why})

    def drops(self, row: OutboxRow) -> None:
        """A till redeemed it while a call was on its way that dfire then turned away: it never changed hands."""
        coupon = coupon_of(row)
        if coupon.status == CouponStatus.REDEEMED and coupon.delivered_openid and not _is_with_its_holder(coupon, row):
            _stays_with_its_giver(coupon)

    def fails(self, row: OutboxRow, why: str) -> None:
        """Show it at the coupon too."""
        lifecycle.mark_delivery(coupon_of(row), Delivery.FAILED, details={"code": "", "message": why})

    def _asked_giver(self, row: OutboxRow, found: CustomerPromotion | None) -> None:
        """The coupon was to leave this list."""
        coupon = coupon_of(row)
        if found is None or found.state == CouponState.TRANSFERRED:
            sent = _last_sent(row)
            if sent is not None and _is_native(sent):
                self._arrived(row, _holding_after(sent))
            else:
                self._taken(row)
        elif found.state == CouponState.USED:
            take_over_state(coupon, found)
            _stays_with_its_giver(coupon)
            verdicts.done(row)
        elif refused := row.details.get("refused"):
            self._not_let_go(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send(row)

    def _asked_receiver(self, row: OutboxRow, found: CustomerPromotion | None) -> None:
        """The coupon was to come into this list."""
        if found is not None:
            self._arrived(row, holding_of(row))
            take_over_state(coupon_of(row), found)
        elif not verdicts.seen_absent(row, places=len(told_identities(coupon_of(row)))):
            return
        elif refused := row.details.get("refused"):
            self._receiver_refused(row, code=refused["code"], message=refused["message"])
        else:
            verdicts.send_again(row)

    def _looked_again(self, row: OutboxRow, found: CustomerPromotion | None) -> None:
        """It should be where it belongs."""
        coupon = coupon_of(row)
        if found is not None:
            lifecycle.mark_delivered(coupon, holding_of(row), details={"seen_in_list": True})
            take_over_state(coupon, found)
            verdicts.done(row)
        elif verdicts.seen_absent(row):
            self._taken(row)

    def _taken(self, row: OutboxRow) -> None:
        lifecycle.mark_taken(coupon_of(row))
        _forget_refusal(row, **{TAKEN: row.attempts.latest("id").pk})
        verdicts.send(row)

    def _arrived(self, row: OutboxRow, holding: Holding) -> None:
        """dfire holds it under this identity. If it has been given on meanwhile, it goes on from there."""
        coupon = coupon_of(row)
        lifecycle.record_holding(coupon, holding)
        _forget_refusal(row)
        if not _is_with_its_holder(coupon, row) and lifecycle.status_now(coupon) == CouponStatus.ISSUED:
            verdicts.send(row)
            return
        if coupon.status == CouponStatus.REDEEMED:
            _stays_with_its_giver(coupon)
        lifecycle.mark_delivered(coupon, holding)
        if row.resends and row.phase == Phase.SEND:
            verdicts.look_again_later(row)
        else:
            verdicts.done(row)

    def _not_let_go(self, row: OutboxRow, *, code: str, message: str) -> None:
        """dfire does not take it from its giver, who keeps it."""
        coupon = coupon_of(row)
        holder = holder_at_dfire(coupon)
        if holder is None:
            self._give_up(row, code=code, message=message)
            return
        lifecycle.undo_transfer(coupon, holder, flag=REFUSED, details={"code": code, "message": message})
        lifecycle.mark_delivered(coupon, holding_of(row))
        verdicts.done(row)

    def _receiver_refused(self, row: OutboxRow, *, code: str, message: str) -> None:
        """It goes back to its giver, once."""
        coupon = coupon_of(row)
        if lifecycle.status_now(coupon) != CouponStatus.ISSUED:
            verdicts.cancel(row, NOT_NEEDED)
        elif row.details.get(BACK) == coupon.customer_id:
            self._give_up(row, code=code, message=message)
        else:
            giver = Customer.objects.get(pk=row.details[GIVER])
            lifecycle.undo_transfer(coupon, giver, flag=REFUSED, details={"code": code, "message": message})
            _forget_refusal(row, **{BACK: giver.pk})
            verdicts.send(row)

    def _give_up(self, row: OutboxRow, *, code: str, message: str) -> None:
        verdicts.dead(row, code=code, message=message)
        lifecycle.mark_delivery(coupon_of(row), Delivery.FAILED, details={"code": code, "message": message})


def _native(row: OutboxRow, held: Identity, method: str) -> Call:
    """The account's own transfer call; kept with the receiver's identity."""
    coupon, merchant = coupon_of(row), row.merchant
    receiver, promotion_id = identity_of(coupon.customer, merchant), coupon.version.promotion_id
    return Call(
        method,
        lambda client: client.transfer_promotion(
            entity_id=merchant.entity_id,
            plate_entity_id=merchant.plate_entity_id,
            promotion_id=promotion_id,
            appid=held["appid"],
            from_openid=held["openid"],
            to_openid=receiver["openid"],
            mobile=receiver["mobile"],
            code=coupon.code,
        ),
        {**receiver, CUSTOMER: str(coupon.customer_id)},
    )


def _is_with_its_holder(coupon: IssuedCoupon, row: OutboxRow) -> bool:
    held = {"appid": coupon.delivered_appid, "openid": coupon.delivered_openid}
    return same_list(held, identity_of(coupon.customer, row.merchant))


def _stays_with_its_giver(coupon: IssuedCoupon) -> None:
    if holder := holder_at_dfire(coupon):
        was_over = coupon.flag.startswith("redeemed_when_")  # of the two flags the one that costs money
        lifecycle.undo_transfer(coupon, holder, flag=coupon.flag if was_over else TILL_WAS_FIRST)


def _last_sent(row: OutboxRow) -> OutboxAttempt | None:
    """The last attempt of the row that was to change something."""
    return row.attempts.filter(phase=Phase.SEND).order_by("-id").first()


def _takes(sent: OutboxAttempt | None) -> bool:
    return sent is not None and sent.method == DELETE_CUSTOMER_PROMOTION


def _is_native(sent: OutboxAttempt) -> bool:
    return sent.method not in (DELETE_CUSTOMER_PROMOTION, DELIVER_PROMOTION)


def _holding_after(sent: OutboxAttempt) -> Holding:
    return Holding(appid=sent.identity["appid"], openid=sent.identity["openid"], mobile=sent.identity["mobile"])


def _forget_refusal(row: OutboxRow, **news: Any) -> None:
    """What was refused or doubled before says nothing about the next step."""
    kept = {key: value for key, value in row.details.items() if key not in ("refused", "duplicate")}
    row.details = {**kept, **news}
