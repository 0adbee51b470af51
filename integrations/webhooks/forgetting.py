"""Takes erased customers out of what partners were told, and of what is still to be sent."""

import json

from integrations.models import WebhookAttempt, WebhookDelivery


def forget(coupon_id: int, names: set[str] | None = None) -> None:
    """Take the holder's identifier out of a coupon's deliveries, and all that partners answered.

    Args:
        names: only where the holder is called so; None = whoever it was.
    """
    for delivery in WebhookDelivery.objects.select_for_update(no_key=True).filter(coupon=coupon_id).order_by("pk"):
        said = json.loads(delivery.payload)
        holder = said["data"].get("identifier")
        if holder is None or (names is not None and holder not in names):
            continue
        said["data"]["identifier"] = None
        delivery.payload = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        delivery.save(update_fields=["payload"])
        WebhookAttempt.objects.filter(delivery=delivery).exclude(answer="").update(answer="")
