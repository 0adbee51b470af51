"""The life of an issued coupon: the only writer of its status, its delivery and its holder.

Every function here does the same five things in one transaction: lock, check, write, note the event, send the signal.
Functions that take a locked coupon expect it from `lock`;
`reissue` locks by itself. Locks are taken in the order customer, coupon, template,
outbox row.
"""

from coupons.lifecycle.core import DFIRE, PORTAL, flag, has_expired, lock, note, note_all, status_now
from coupons.lifecycle.delivering import (
    Holding,
    mark_all_delivered,
    mark_all_waiting,
    mark_delivered,
    mark_delivery,
    mark_missing,
    record_holding,
    resend,
)
from coupons.lifecycle.ending import expire_due, revoke, revoke_many
from coupons.lifecycle.redeeming import (
    DECIDED_OTHERWISE,
    TillOutcome,
    begin_redeeming,
    finish_redeeming,
    redeem_at_till,
    stop_redeeming,
    tell_shop,
)
from coupons.lifecycle.reissuing import end_of_replacement, last_day_at_tills, refusal_to_reissue, reissue
from coupons.lifecycle.transferring import mark_taken, transfer, undo_transfer

__all__ = [
    "DECIDED_OTHERWISE",
    "DFIRE",
    "PORTAL",
    "Holding",
    "TillOutcome",
    "begin_redeeming",
    "end_of_replacement",
    "expire_due",
    "finish_redeeming",
    "flag",
    "has_expired",
    "last_day_at_tills",
    "lock",
    "mark_all_delivered",
    "mark_all_waiting",
    "mark_delivered",
    "mark_delivery",
    "mark_missing",
    "mark_taken",
    "note",
    "note_all",
    "record_holding",
    "redeem_at_till",
    "refusal_to_reissue",
    "reissue",
    "resend",
    "revoke",
    "revoke_many",
    "status_now",
    "stop_redeeming",
    "tell_shop",
    "transfer",
    "undo_transfer",
]
