"""One timeline of a coupon: what happened, was pushed, sent, answered and called back, on one scale of time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from coupons.admin.wording import actor_words, flag_words
from coupons.choices import EventKind
from coupons.models import CouponEvent, IssuedCoupon
from merchants.admin.badges import Variant

_LOOKS: dict[str, tuple[str, Variant]] = {
    EventKind.ISSUED: ("confirmation_number", "primary"),
    EventKind.QUEUED: ("schedule_send", "info"),
    EventKind.WAITING: ("hourglass_empty", "warning"),
    EventKind.DELIVERED: ("check_circle", "success"),
    EventKind.DELIVERY_FAILED: ("error", "danger"),
    EventKind.REDEEMED: ("point_of_sale", "success"),
    EventKind.REVOKED: ("block", "danger"),
    EventKind.WITHDRAWN: ("undo", "info"),
    EventKind.WITHDRAWAL_FAILED: ("error", "danger"),
    EventKind.EXPIRED: ("event_busy", "default"),
    EventKind.FLAGGED: ("flag", "warning"),
    EventKind.RECONCILED: ("sync_alt", "info"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing on the timeline. `details` are (label, text) pairs that open on a click; `rank` orders equal times."""

    at: datetime
    title: Any
    icon: str
    variant: Variant = "default"
    by: str = ""
    text: str = ""
    badge: str = ""
    badge_variant: Variant = "default"
    details: list[tuple[Any, str]] = field(default_factory=list)
    link: str = ""
    rank: int = 5


def events(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """The coupon's own history."""
    for event in CouponEvent.objects.filter(coupon=coupon):
        icon, variant = _LOOKS.get(event.kind, ("circle", "default"))
        yield Entry(
            at=event.at,
            title=event.get_kind_display(),
            icon=icon,
            variant=variant,
            by=actor_words(event.actor),
            text=_words(event),
            rank=1,
        )


def _words(event: CouponEvent) -> str:
    """What an event's details say to people."""
    data = event.data
    if event.kind == EventKind.FLAGGED:
        return flag_words(str(data.get("flag", "")))
    said = [data.get("reason"), data.get("code"), data.get("message")]
    return " · ".join(str(word) for word in said if word)
