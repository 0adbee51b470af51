"""Pushes of revisions 2 and 3 as the platform sends them, signed by code of the sandbox's, not of the portal's."""

import json
import time
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.sandbox.signing import platform_sign_body, platform_sign_time
from tests.hooks.helpers import ABSENT, in_shanghai, soon

KEY = "developer_key"


def campaign(revision: int = 2, **changes: Any) -> dict[str, Any]:
    """Create a coupon: 10 yuan off from 50, 100 of them, 15 days each, from yesterday for ten days."""
    body = {
        "coupon_amount": 10,
        "min_purchase_price": 50,
        "coupon_type": 0,
        "coupon_limit": 100,
        "campaign_start_time": in_shanghai(timezone.now() - timedelta(days=1)),
        "campaign_end_time": soon(),
        "expiration_interval": 15,
        "merchant_id": "88",
        **(
            {"coupon_name": "现金券"} if revision == 2 else {"campaign_name": "现金券", "campaign_notice": "请提前预约"}
        ),
    }
    return _changed(body, changes)


def grant(campaign_id: str, revision: int = 2, **changes: Any) -> dict[str, Any]:
    """Give one of them to a customer."""
    body = {
        ("identifier" if revision == 2 else "customer_identifier"): "13800138000",
        "merchant_id": "88",
        "campaign_id": campaign_id,
        "expiration_time": soon(),
        "coupon_type": 0,
        "coupon_amount": 10,
        "min_purchase_price": 50,
    }
    return _changed(body, changes)


def signed(body: dict[str, Any], revision: int, *, key: str = KEY, at: float | None = None) -> dict[str, Any]:
    """With its signature; of revision 3 made at that moment (epoch seconds, now by default)."""
    if revision == 2:
        return {**body, "data_signature": platform_sign_body(body, key)}
    moment = str(int((time.time() if at is None else at) * 1000))
    return {**body, "signature_time": moment, "data_signature": platform_sign_time(moment, key)}


def made_id(answer: dict[str, Any], name: str) -> str:
    """The id in an answer of either form."""
    found: str = answer.get("result", answer)[name]
    return found


def raw(body: dict[str, Any]) -> bytes:
    """As it goes over the wire."""
    return json.dumps(body, ensure_ascii=False).encode()


def _changed(sample: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**sample, **changes}.items() if value is not ABSENT}
