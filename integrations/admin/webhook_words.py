"""Webhooks in words: what came of a call, what to do about it, how it goes with an address."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.wording import moment_text
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.models.webhooks import DeliveryState, OffReason, SendResult
from merchants.admin.badges import Variant, badge, copy_line, notice

STATE_VARIANTS: dict[str, Variant] = {
    DeliveryState.QUEUED: "info",
    DeliveryState.SENDING: "info",
    DeliveryState.DONE: "success",
    DeliveryState.FAILED: "danger",
    DeliveryState.DROPPED: "default",
}
ADVICE: dict[str, Any] = {
    SendResult.REFUSED: _("The partner's server answered with an error. Tell the partner the status and the answer."),
    SendResult.BUSY: _("The partner asks for less at once. It is tried again later."),
    SendResult.GONE: _("The partner's server says that this address is no longer used. Ask the partner."),
    SendResult.REDIRECT: _("The address points to another one, which is not followed. Enter the final address."),
    SendResult.TIMEOUT: _("The partner must answer at once and do its own work afterwards. Tell the partner."),
    SendResult.NO_NAME: _("Nobody knows this name. Is the address spelled correctly?"),
    SendResult.NO_CONNECTION: _("Nobody answers there. Ask the partner whether its server runs and lets us in."),
    SendResult.CERTIFICATE: _("The certificate of the partner's server is not trusted. The partner must renew it."),
    SendResult.BROKEN: _("The connection ended before the answer was complete. It is tried again."),
    SendResult.NOT_ALLOWED: _(
        "The address leads into a private network, or is not https. An operator can allow networks in "
        "OUTBOUND_ALLOWED_NETWORKS."
    ),
    SendResult.SECRET: _("Make a new secret on the webhook's page and hand it to the partner."),
}


def result_shown(row: WebhookAttempt | WebhookDelivery) -> str:
    """What came of a call, with its status."""
    if not row.result:
        return "-"
    words = row.get_result_display()
    text = f"{words} · HTTP {row.status}" if row.status is not None else words
    variant: Variant = "success" if row.result == SendResult.OK else "warning"
    return badge(text, variant, hint=str(ADVICE.get(row.result, "")))


def trouble(delivery: WebhookDelivery) -> str:
    """A box that says why a delivery has not arrived and what to do."""
    if delivery.state == DeliveryState.DONE:
        return "-"
    if lane_of(delivery.endpoint).off_at is not None and delivery.state == DeliveryState.QUEUED:
        return notice(gettext("The webhook is switched off. Administrators can switch it on again."))
    if delivery.state == DeliveryState.FAILED and not delivery.result:
        return notice(gettext("It could not be sent in time, because the address failed all the while."), "danger")
    if not delivery.result or delivery.result == SendResult.OK:
        return "-"
    advice = ADVICE.get(delivery.result, "")
    words = delivery.get_result_display()
    words = f"{words} · HTTP {delivery.status}" if delivery.status is not None else words
    said = format_html("<strong>{}</strong><br>{}", capfirst(words), advice)
    return notice(said, "danger" if delivery.state == DeliveryState.FAILED else "warning")


def lane_of(endpoint: WebhookEndpoint) -> WebhookLane:
    """The address's lane; one that nothing was ever sent to has an empty one."""
    return getattr(endpoint, "lane", None) or WebhookLane(endpoint=endpoint)


def endpoint_state(endpoint: WebhookEndpoint) -> str:
    """Whether events go out to an address."""
    lane = lane_of(endpoint)
    if lane.off_at is not None:
        return badge(gettext("Switched off"), "danger", hint=str(OffReason(lane.off_reason).label))
    if not endpoint.events:
        return badge(gettext("No events chosen"), "warning")
    if lane.failures:
        return badge(gettext("Failing"), "warning", hint=gettext("Calls that failed in a row: %d") % lane.failures)
    return badge(gettext("Working"), "success") if lane.last_ok_at else badge(gettext("Nothing sent yet"))


def endpoint_notices(endpoint: WebhookEndpoint, pending: int) -> list[str]:
    """The boxes on an address's page, where there is reason for them."""
    lane = lane_of(endpoint)
    boxes: list[str] = []
    if lane.off_at is not None:
        words = gettext("Switched off since %(time)s: %(why)s. Pending events: %(count)s. Test it, then switch it on.")
        why = OffReason(lane.off_reason).label
        boxes.append(notice(words % {"time": moment_text(lane.off_at), "why": why, "count": pending}, "danger"))
    elif lane.failing_since is not None:
        words = gettext("Every call has failed since %(time)s (%(count)s in a row). Events are kept and tried again.")
        boxes.append(notice(words % {"time": moment_text(lane.failing_since), "count": lane.failures}))
    if not endpoint.app.merchants.exists():
        boxes.append(notice(gettext("The partner app has no merchants yet, so there are no events for it.")))
    return boxes


def secret_words(secret: str) -> SafeString:
    """The message that shows a new secret, with a button to copy it."""
    words = gettext("The signing secret, shown this once. Hand it to the partner:")
    return format_html("{}{}", words, copy_line(secret))
