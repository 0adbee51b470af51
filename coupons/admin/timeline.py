"""One timeline of a coupon: what happened, was pushed, sent, answered and called back, on one scale of time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from coupons.admin.wording import actor_words, flag_words, reason_words
from coupons.choices import EventKind
from coupons.models import CouponEvent, IssuedCoupon
from merchants.admin.badges import Variant
from merchants.admin.masking import shown
from merchants.models import Customer

_LOOKS: dict[str, tuple[str, Variant]] = {
    EventKind.ISSUED: ("confirmation_number", "primary"),
    EventKind.QUEUED: ("schedule_send", "info"),
    EventKind.WAITING: ("hourglass_empty", "warning"),
    EventKind.DELIVERED: ("check_circle", "success"),
    EventKind.DELIVERY_FAILED: ("error", "danger"),
    EventKind.TRANSFERRED: ("move_up", "info"),
    EventKind.TRANSFER_FAILED: ("undo", "warning"),
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
            text=_words(request, event),
            rank=1,
        )


def _words(request: HttpRequest, event: CouponEvent) -> str:
    """What an event's details say to people."""
    data = event.data
    if event.kind in (EventKind.TRANSFERRED, EventKind.TRANSFER_FAILED):
        return " · ".join([_hands(request, data), *([flag_words(data["why"])] if "why" in data else [])])
    if event.kind == EventKind.FLAGGED:
        return flag_words(str(data.get("flag", "")))
    said = [reason_words(str(data.get("reason", ""))), data.get("code"), data.get("message")]
    return " · ".join(str(word) for word in said if word)


def _hands(request: HttpRequest, data: dict[str, Any]) -> str:
    """From whom to whom."""
    named = dict(Customer.objects.filter(pk__in=[data["from"], data["to"]]).values_list("pk", "identifier"))
    giver, receiver = (shown(request, named.get(data[end], "?")) for end in ("from", "to"))
    return f"{giver} → {receiver}"
