"""What happens elsewhere that the inbox waits for: a coupon is issued, a merchant changes accounts, a coupon turns out
to have been redeemed too late. Imported once, by the application's `ready`.
"""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from coupons.choices import EventKind
from coupons.issuing import Issued
from coupons.models import IssuedCoupon
from coupons.signals import coupon_issued, coupons_issued, coupons_redeemed
from integrations.inbox.applying import apply_waiting, late_problem, waits_for
from integrations.inbox.retrying import appeared, merchant_moved
from integrations.inbox.taking import list_late
from integrations.sync import redemptions
from integrations.sync.redemptions import redemption_settled
from merchants.models import Merchant


@receiver(coupon_issued)
def _apply_what_waited(coupon: IssuedCoupon, **kwargs: Any) -> None:
    """After the commit, because a callback that is being taken now cannot see the coupon before it."""
    transaction.on_commit(lambda: appeared([coupon.code]), robust=True)


@receiver(coupons_issued)
def _apply_what_waited_for_many(issued: list[Issued], **kwargs: Any) -> None:
    codes = [coupon.code for coupon in issued]
    transaction.on_commit(lambda: appeared(codes), robust=True)


@receiver(coupons_redeemed)
def _list_late_ones(coupons: list[IssuedCoupon], **kwargs: Any) -> None:
    """A callback lists itself; a late redemption that was found in another way is listed here."""
    for coupon in coupons:
        if late_problem(coupon):
            event = coupon.events.filter(kind=EventKind.REDEEMED).latest("id")
            if "callback" not in event.data:
                list_late(coupon)


@receiver(redemption_settled)
def _apply_what_waited_for_it(coupon: IssuedCoupon, inferred: bool, **kwargs: Any) -> None:
    """Where the order is only concluded to have won, and a till says that it did, staff should know."""
    if apply_waiting(coupon) and inferred:
        redemptions.both_say(coupon)


@receiver(redemptions.call_ended)
def _apply_what_need_wait_no_longer(coupon: IssuedCoupon, **kwargs: Any) -> None:
    if waits_for(coupon) and not redemptions.may_be_echo(coupon):
        apply_waiting(coupon)


@receiver(post_save, sender=Merchant)
def _apply_after_a_move(instance: Merchant, created: bool, raw: bool, **kwargs: Any) -> None:
    if not created and not raw and instance.dfire_account_id is not None:
        transaction.on_commit(lambda: merchant_moved(instance), robust=True)
