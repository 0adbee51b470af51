"""A test push, while the sandbox is there: its platform pushes an example of a coupon over the real way."""

from dataclasses import dataclass

import requests
from django.conf import settings

from merchants.models import Merchant, SmartCouponAccount

_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Tried:
    """What the portal answered to the sandbox (`status` None: nothing), and its text."""

    status: int | None
    answer: str


def push(account: SmartCouponAccount, merchant: Merchant, *, revision: int) -> Tried:
    """Let the sandbox push a coupon for the merchant. Touches the network: not inside a transaction. Never raises."""
    order = {
        "token": account.token,
        "merchant_id": merchant.merchant_id,
        "developer_key": account.developer_key,
        "platform": account.name,
        "revision": revision,
    }
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{settings.SANDBOX_URL}/control/push", json=order, timeout=_SECONDS).json()
        return Tried(answer.get("http_status"), str(answer.get("answer") or answer.get("error") or ""))
    except (requests.RequestException, ValueError, AttributeError) as error:
        return Tried(None, type(error).__name__)
