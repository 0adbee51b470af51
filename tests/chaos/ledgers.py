"""Three ledgers: what we hold, what dfire (the sandbox) holds, and what callers were promised. They must agree."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from integrations.models import DfireCallback, OutboxRow
from integrations.models.inbox import OPEN_STATES
from integrations.models.outbox import UNSETTLED, RowState
from tests.chaos.promises import Promises

HELD, USED = "held", "used"
_GONE = ("deleted", "")  # taken back, or never there
_ENDED = (CouponStatus.REVOKED, CouponStatus.EXPIRED)


@dataclass
class Verdict:
    """What the comparison found; each list holds lines for people."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disagreeing: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not (self.lost or self.doubled or self.disagreeing)


def unsettled() -> dict[str, int]:
    """What is still on its way: outbox rows that are not settled, and open callbacks."""
    return {
        "outbox rows": OutboxRow.objects.filter(state__in=UNSETTLED).count(),
        "callbacks in the inbox": DfireCallback.objects.filter(state__in=OPEN_STATES).count(),
    }


def compare(promises: Promises, there: list[dict[str, Any]], totals: dict[str, Any]) -> Verdict:
    """Compare the three once nothing is on its way any more.

    Args:
        there: the sandbox's coupons.
        totals: the sandbox's sums.
    """
    verdict = Verdict()
    ours = {coupon.code: coupon for coupon in IssuedCoupon.objects.select_related("customer")}
    held = {coupon["code"]: coupon for coupon in there}
    verdict.lost = [*_lost(promises, ours)]
    verdict.doubled = [*_doubled(promises, ours, there, totals)]
    for code, coupon in ours.items():
        if problem := _between_us_and_dfire(coupon, held.get(code)) or _of_holders(promises, coupon, held.get(code)):
            verdict.disagreeing.append(f"{code}: {problem}; {_rows(coupon)}")
    for row in OutboxRow.objects.filter(state=RowState.DEAD):
        verdict.disagreeing.append(f"outbox row {row.pk} ({row.kind}) was given up: {row.last_message}")
    return verdict


def _lost(promises: Promises, ours: dict[str, IssuedCoupon]) -> Iterable[str]:
    """What was promised and is not so."""
    for code in promises.holders:
        if code not in ours:
            yield f"{code}: promised to a caller, and not here"
    for code in promises.redeemed & ours.keys():
        if ours[code].status != CouponStatus.REDEEMED:
            yield f"{code}: redeemed at a till, here {ours[code].status}"
    for code in (promises.revoked - promises.redeemed) & ours.keys():
        if ours[code].status != CouponStatus.REVOKED:
            yield f"{code}: revoke accepted, here {ours[code].status}"


def _doubled(
    promises: Promises, ours: dict[str, IssuedCoupon], there: list[dict[str, Any]], totals: dict[str, Any]
) -> Iterable[str]:
    """What there is more often than it should be, or though nobody asked for it."""
    excused = set(promises.unanswered)  # one each
    for code in ours.keys() - promises.holders.keys():
        identifier = ours[code].customer.identifier
        if identifier not in excused:
            yield f"{code}: here, and promised to nobody"
        excused.discard(identifier)
    yield from (f"{code}: given to two callers" for code in promises.twice)
    for code, times in Counter(coupon["code"] for coupon in there).items():
        if code not in ours:
            yield f"{code}: at dfire, and not here"
        if times > 1:
            yield f"{code}: {times} times at dfire"
    for what in ("delivered_twice", "used_twice"):
        if totals[what]:
            yield f"{totals[what]} coupons {what} at dfire"


def _between_us_and_dfire(coupon: IssuedCoupon, there: dict[str, Any] | None) -> str:
    """How our state of a coupon differs from dfire's, if it does."""
    state = there["status"] if there else ""
    here = f"here {coupon.status}/{coupon.delivery}, there {state or 'absent'}"
    if coupon.status == CouponStatus.REDEEMED:
        return "" if state == USED else here
    if coupon.status in _ENDED:
        return "" if state in _GONE else here
    if coupon.status != CouponStatus.ISSUED or coupon.delivery != Delivery.DELIVERED:
        return f"{here}: not settled"
    if state != HELD:
        return here
    return f"{here}, flagged {coupon.flag}" if coupon.flag else ""


def _of_holders(promises: Promises, coupon: IssuedCoupon, there: dict[str, Any] | None) -> str:
    """Whether somebody else holds it than should, in either ledger. An ended coupon has no holder any more."""
    if coupon.status in _ENDED or there is None:
        return ""
    holder, owner = coupon.customer.identifier, promises.owners.get(there["openid"])
    if owner != holder:
        return f"held by {holder} here, by {owner} there"
    if coupon.status == CouponStatus.ISSUED and coupon.delivered_openid != there["openid"]:
        return f"delivered to {coupon.delivered_openid} here, to {there['openid']} there"
    if coupon.status == CouponStatus.ISSUED and holder not in promises.holders.get(coupon.code, {holder}):
        return f"held by {holder}, promised to {promises.holders[coupon.code]}"
    return ""


def _rows(coupon: IssuedCoupon) -> str:
    """The coupon's outbox rows in a few words, to see where it got stuck."""
    return ", ".join(
        f"{row.kind} {row.state}/{row.phase} {row.last_class} {row.last_message}"
        f" [{' '.join(f'{attempt.phase}:{attempt.result}' for attempt in row.attempts.all())}]"
        for row in OutboxRow.objects.filter(coupon=coupon).order_by("pk")
    )
