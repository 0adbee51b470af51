"""Signatures by the Standard Webhooks specification, and the secrets that they are made with."""

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from standardwebhooks import Webhook

from integrations.models import WebhookEndpoint

BEGINS_WITH = "whsec_"
_BYTES = 32  # the specification: 24 to 64


class UnusableSecret(Exception):
    """A stored secret that signs nothing."""


def new_secret() -> str:
    """A fresh secret."""
    return BEGINS_WITH + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signing_secret(value: str) -> None:
    """A secret that signs.

    Raises:
        ValidationError: it does not.
    """
    try:
        headers("msg_try", "{}", [value], datetime.now(UTC))
    except UnusableSecret:
        raise ValidationError(_("This is no signing secret: whsec_ and base64.")) from None


def replace_secret(endpoint: WebhookEndpoint, *, keep: timedelta, now: datetime) -> str:
    """Give the endpoint a new secret and return it. For `keep` from `now` (aware) the one before signs as well."""
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + keep
    if not keep:
        endpoint.previous_secret, endpoint.previous_until = "", None
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    return endpoint.secret


def live_secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The secrets that sign at `now` (aware), the newest first."""
    earlier = endpoint.previous_until is not None and now < endpoint.previous_until and endpoint.previous_secret
    return [endpoint.secret, endpoint.previous_secret] if earlier else [endpoint.secret]


def headers(webhook_id: str, body: str, live: Iterable[str], now: datetime) -> dict[str, str]:
    """The three headers of an attempt that is made at `now` (aware), with a signature of each secret.

    Raises:
        UnusableSecret: one of them is no secret.
    """
    moment = now.astimezone(UTC)
    try:
        signatures = [Webhook(secret).sign(webhook_id, moment, body) for secret in live]
    except Exception as error:  # the library lets through whatever base64 and its own checks raise
        raise UnusableSecret from error
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
