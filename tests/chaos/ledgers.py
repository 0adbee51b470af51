"""Three ledgers: what we hold, what dfire (the sandbox) holds, and what callers were promised. They must agree."""

from dataclasses import dataclass, field
from typing import Any

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from integrations.models import DfireCallback, OutboxRow
from integrations.models.inbox import OPEN_STATES
from integrations.models.outbox import RowState
from tests.chaos.driver import Promises

# A revoked coupon may be what dfire never got; a waiting one has not been sent.
_GONE = ("deleted", "")


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
    """What is still on its way: rows that are queued or being sent, and open callbacks."""
    return {
        "outbox": OutboxRow.objects.filter(state__in=[RowState.QUEUED, RowState.SENDING]).count(),
        "inbox": DfireCallback.objects.filter(state__in=OPEN_STATES).count(),
    }


def compare(promises: Promises, held: dict[str, dict[str, Any]], totals: dict[str, Any]) -> Verdict:
    """Compare; `held` are the sandbox's coupons by code."""
    verdict = Verdict()
    ours = {coupon.code: coupon for coupon in IssuedCoupon.objects.all()}
    for code in promises.given:
        if code not in ours:
            verdict.lost.append(f"{code}: promised to a caller, and not here")
    for code in ours.keys() - promises.given.keys():
        verdict.doubled.append(f"{code}: here, and promised to nobody")
    for code in held.keys() - ours.keys():
        verdict.doubled.append(f"{code}: at dfire, and not here")
    for what in ("delivered_twice", "used_twice"):
        if totals[what]:
            verdict.doubled.append(f"{totals[what]} coupons {what} at dfire")
    for code, coupon in ours.items():
        if problem := _disagreement(coupon, held.get(code)):
            verdict.disagreeing.append(f"{code}: {problem}; {_rows(coupon)}")
    for code in promises.redeemed:
        if code in ours and ours[code].status != CouponStatus.REDEEMED:
            verdict.lost.append(f"{code}: redeemed at a till, here {ours[code].status}")
    for code in promises.revoked - promises.redeemed:
        if code in ours and ours[code].status not in (CouponStatus.REVOKED, CouponStatus.REDEEMED):
            verdict.lost.append(f"{code}: revoke accepted, here {ours[code].status}")
    return verdict


def _rows(coupon: IssuedCoupon) -> str:
    """The coupon's outbox rows in a few words, to see where it got stuck."""
    return ", ".join(
        f"{row.kind} {row.state}/{row.phase} {row.last_class} {row.last_message}"
        f" [{' '.join(f'{attempt.phase}:{attempt.result}' for attempt in row.attempts.all())}]"
        for row in OutboxRow.objects.filter(coupon=coupon).order_by("pk")
    )


def _disagreement(coupon: IssuedCoupon, there: dict[str, Any] | None) -> str:
    state = there["status"] if there else ""
    here = f"here {coupon.status}/{coupon.delivery}, there {state or 'absent'}"
    if coupon.status == CouponStatus.REDEEMED:
        return "" if state == "used" else here
    if coupon.status in (CouponStatus.REVOKED, CouponStatus.EXPIRED):
        return "" if state in _GONE else here
    if coupon.delivery == Delivery.DELIVERED:
        if state != "held":
            return here
        same = there is not None and there["openid"] == coupon.delivered_openid
        return "" if same else f"{here} under another openid"
    if coupon.delivery == Delivery.WAITING:
        return "" if state in _GONE else here
    return f"{here}: not settled"
