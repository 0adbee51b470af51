"""One timeline of a coupon: what happened, was pushed, sent, answered and called back, on one scale of time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.money import yuan
from coupons.admin.wording import flag_words, reason_words
from coupons.choices import EventKind
from coupons.models import CouponEvent, IssuedCoupon
from merchants.admin.actors import actor_words
from merchants.admin.badges import Variant
from merchants.admin.masking import shown, shown_text
from merchants.admin.trail_words import in_one_line, who_words
from merchants.clock import local_day
from merchants.models import AuditAction, AuditEntry, Customer

MOST_EDITS = 50
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
    EventKind.REISSUED: ("autorenew", "warning"),
    EventKind.REDEEMING: ("shopping_cart_checkout", "info"),
    EventKind.NOT_REDEEMED: ("remove_shopping_cart", "warning"),
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

    @property
    def day(self) -> date:
        """The Shanghai day under which it stands."""
        return local_day(self.at)


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
            text=_words(request, coupon, event),
            link=_link(event),
            rank=1,
        )


def edits(request: HttpRequest, coupon: IssuedCoupon) -> Iterable[Entry]:
    """What staff changed of its holder and its template since it was issued; its terms stayed as they were."""
    for row, words, icon in (
        (coupon.customer, _("Customer edited"), "manage_accounts"),
        (coupon.template, _("Template edited"), "edit_note"),
    ):
        about = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            action_time__gte=coupon.issued_at,
        )
        for entry in about.exclude(action_flag=ADDITION).select_related("user")[:MOST_EDITS]:
            yield Entry(
                at=entry.action_time,
                title=words,
                icon=icon,
                by=actor_words(f"staff:{entry.user.get_username()}"),
                text=shown_text(request, entry.get_change_message()),
                rank=0,
            )
    changed = AuditEntry.objects.select_related("merchant").filter(
        kind=coupon.template._meta.label_lower, object_id=str(coupon.template_id), at__gte=coupon.issued_at,
        action=AuditAction.CHANGED,
    )  # fmt: skip
    for change in changed[:MOST_EDITS]:
        yield Entry(
            at=change.at,
            title=_("Template edited"),
            icon="edit_note",
            by=who_words(change),
            text=in_one_line(request, change),
            rank=0,
        )


def _link(event: CouponEvent) -> str:
    """The page of the other coupon where the event names one."""
    other = event.data.get("replacement") or event.data.get("replaces")
    return reverse("admin:coupons_issuedcoupon_change", args=[other]) if isinstance(other, int) else ""


def _words(request: HttpRequest, coupon: IssuedCoupon, event: CouponEvent) -> str:
    """What an event's details say to people."""
    data = event.data
    if event.kind in (EventKind.TRANSFERRED, EventKind.TRANSFER_FAILED):
        return " · ".join([_hands(request, data), *([flag_words(data["why"])] if "why" in data else [])])
    if event.kind == EventKind.FLAGGED:
        return flag_words(str(data.get("flag", "")))
    if event.kind == EventKind.ISSUED:
        in_batch = gettext("in the batch %(batch)s") % {"batch": coupon.batch} if coupon.batch else ""
        return in_batch or (gettext("in the place of another, whose order was cancelled") if "replaces" in data else "")
    said = [
        *_order(data),
        reason_words(str(data.get("reason", ""))),
        data.get("code"),
        data.get("message"),
    ]
    return " · ".join(str(word) for word in said if word)


def _order(data: dict[str, Any]) -> Iterable[str]:
    """The partner's order that an event is about, as far as it is known."""
    if "order" in data:
        yield gettext("order %(order)s") % {"order": data["order"]}
    if "paid_fen" in data:
        facts = {"paid": yuan(data["paid_fen"]), "saved": yuan(data["saved_fen"])}
        yield gettext("¥%(paid)s paid, ¥%(saved)s saved") % facts
    if data.get("inferred"):
        yield gettext("concluded from dfire's list")


def _hands(request: HttpRequest, data: dict[str, Any]) -> str:
    """From whom to whom."""
    named = dict(Customer.objects.filter(pk__in=[data["from"], data["to"]]).values_list("pk", "identifier"))
    giver, receiver = (shown(request, named.get(data[end], "?")) for end in ("from", "to"))
    return f"{giver} → {receiver}"
