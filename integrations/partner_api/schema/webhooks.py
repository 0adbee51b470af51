"""What partners' own addresses are sent: an entry for each event, with the same forms of coupons and templates."""

from typing import Any

from integrations.models.partners import WebhookEvent
from integrations.partner_api.schema import examples

JsonSchema = dict[str, Any]
_WHEN = {
    WebhookEvent.COUPON_ISSUED: "A coupon was given to a customer.",
    WebhookEvent.COUPON_DELIVERED: "dfire holds the coupon: it can be used at tills.",
    WebhookEvent.COUPON_REDEEMED: "The coupon was spent, through whatever door.",
    WebhookEvent.COUPON_TRANSFERRED: "The coupon has another holder, also when a transfer was undone.",
    WebhookEvent.COUPON_REVOKED: "The coupon was taken back.",
    WebhookEvent.COUPON_EXPIRED: "The coupon's time ran out.",
    WebhookEvent.TEMPLATE_PUBLISHED: "A template is issued from now on, for the first time or again.",
    WebhookEvent.TEMPLATE_ENDED: "Nothing is issued of the template any more.",
}
_DATA: dict[WebhookEvent, JsonSchema] = {
    WebhookEvent.COUPON_ISSUED: examples.JUST_ISSUED,
    WebhookEvent.COUPON_DELIVERED: examples.COUPON,
    WebhookEvent.COUPON_REDEEMED: examples.SPENT,
    WebhookEvent.COUPON_TRANSFERRED: examples.PASSED_ON,
    WebhookEvent.COUPON_REVOKED: examples.TAKEN_BACK,
    WebhookEvent.COUPON_EXPIRED: examples.COUPON | {"status": "expired"},
    WebhookEvent.TEMPLATE_PUBLISHED: examples.TEMPLATE,
    WebhookEvent.TEMPLATE_ENDED: examples.TEMPLATE | {"status": "ended"},
}
_HOW = (
    "Signed by the Standard Webhooks specification with the secret of the address. Answer 2xx within ten seconds; "
    "anything else is sent again for three days, and 410 switches the address off. `webhook-id` stays the same over "
    "all attempts: what has been taken already, answer with 2xx and let pass. The order is not promised."
)
_HEADERS = {
    "webhook-id": ("The event's id, the same over all attempts.", {"type": "string"}),
    "webhook-timestamp": ("When this attempt was signed, in seconds of Unix time.", {"type": "string"}),
    "webhook-signature": ("One or more signatures, divided by blanks: `v1,` and base64.", {"type": "string"}),
}


def webhooks() -> dict[str, JsonSchema]:
    """The section `webhooks`, by event."""
    return {event.value: {"post": _event(event, when)} for event, when in _WHEN.items()}


def _event(event: WebhookEvent, when: str) -> JsonSchema:
    thing = "CouponTemplate" if event.value.startswith("template.") else "Coupon"
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": event.value, "description": "The event."},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": {"$ref": f"#/components/schemas/{thing}", "description": "How it stood at that moment."},
        },
        "required": ["type", "timestamp", "data"],
    }
    value = {"type": event.value, "timestamp": "2026-11-28T12:15:00+08:00", "data": _DATA[event]}
    return {
        "operationId": event.value.replace(".", "_"),
        "summary": when.rstrip("."),
        "description": f"{when}\n\n{_HOW}",
        "tags": ["webhooks"],
        "parameters": [
            {"in": "header", "name": name, "required": True, "description": said, "schema": kind}
            for name, (said, kind) in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "examples": {"Event": {"value": value}}}},
        },
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "The address is gone: it is switched off."},
            "default": {"description": "Not taken: it is sent again later."},
        },
    }
