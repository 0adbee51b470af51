"""Pushes, callbacks and answers as the outside sends and sees them."""

import json
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone

from coupons.models import CouponEvent, CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.dfire.signing import sign
from integrations.models import DfireCallback, OutboxRow, Push, PushAnswer
from merchants.clock import SHANGHAI
from merchants.models import Customer, DfireAccount, SmartCouponAccount

FORM = "application/x-www-form-urlencoded"
ABSENT = object()
# What a refused push must leave as it was; a refused push itself is kept, with its status.
MADE_BY_PUSHES = (CouponTemplate, TemplateVersion, Customer, IssuedCoupon, CouponEvent, OutboxRow, PushAnswer)

# Shared, because each client of its own would read every static file again.
_PORTAL = ClientHandler(enforce_csrf_checks=True)


def in_shanghai(moment: datetime) -> str:
    """The platform's form of a time."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def soon(**ahead: float) -> str:
    """A time ahead of now, ten days by default."""
    return in_shanghai(timezone.now() + timedelta(**(ahead or {"days": 10})))


def create_push(**changes: Any) -> dict[str, Any]:
    """The seed's sample of a create-coupon push, moved into the future; ABSENT takes a field away."""
    return _changed(
        {
            "coupon_name": "现金券",
            "coupon_amount": 10,
            "min_buy_price": 0,
            "coupon_type": 0,
            "expiration_type": 1,
            "expiration_time": soon(),
            "expiration_interval": 1,
            "merchant_id": "88",
        },
        changes,
    )


def give_push(coupon_id: str, **changes: Any) -> dict[str, Any]:
    """The seed's sample of a coupon-detail push, moved into the future."""
    sample = {
        "identifier": "13800138000",
        "expiration_time": soon(),
        "coupon_id": coupon_id,
        "merchant_id": "88",
    }
    return _changed(sample, changes)


def _changed(sample: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**sample, **changes}.items() if value is not ABSENT}


def address_of(account: SmartCouponAccount, kind: str = "coupon") -> str:
    """One of the two addresses that an account pushes to."""
    return f"/hooks/smart-coupon/{account.token}/{kind}/"


def post(url: str, body: Any, content_type: str = "application/json", **extra: Any) -> Any:
    """Send a body as it is, or a JSON value."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return call("POST", url, raw, content_type=content_type, **extra)


def call(method: str, url: str, body: bytes = b"", **extra: Any) -> Any:
    """Any request; with a fresh client each time, so that threads may call it."""
    client = Client()
    client.handler = _PORTAL
    return client.generic(method, url, body, **extra)


def callback(account: DfireAccount, code: str, **changes: Any) -> dict[str, str]:
    """The seed's sample of a redemption callback, signed by the account."""
    form = _changed(
        {
            "appKey": account.app_key,
            "timestamp": str(int(time.time() * 1000)),
            "v": "1.0",
            "method": "dfire.shop.promotion.change.push",
            "entityId": "99927548",
            "promotionId": "1001",
            "openid": "o3Pm6uD6KVk",
            "thirdDeliverCode": code,
            "brandEntityId": "99927548",
            "plateEntityId": "99927571",
        },
        changes,
    )
    return {**form, "sign": sign(form, account.app_secret)}


def tell(form: dict[str, str] | bytes, content_type: str = FORM, **extra: Any) -> Any:
    """Send a callback."""
    raw = form if isinstance(form, bytes) else urlencode(form).encode()
    return post("/hooks/dfire/", raw, content_type, **extra)


def refused(response: Any) -> tuple[int, str, str]:
    """Status, code and message of a refused push, which has exactly the contract's form."""
    body = response.json()
    assert list(body) == ["error"], body
    assert list(body["error"]) == ["code", "message"], body
    assert response["Content-Type"].startswith("application/json")
    return response.status_code, body["error"]["code"], body["error"]["message"]


def callback_refused(response: Any) -> tuple[int, str, str]:
    """Status, result code and message of a refused callback."""
    body = response.json()
    assert list(body) == ["success", "resultCode", "message"], body
    assert body["success"] is False
    return response.status_code, body["resultCode"], body["message"]


def made() -> dict[str, int]:
    """How much there is of everything that pushes make."""
    tables = [model._meta.db_table for model in MADE_BY_PUSHES]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))
        return dict(zip(tables, cursor.fetchone(), strict=True))


def last_push() -> Push:
    """The newest record of a push."""
    push = Push.objects.first()
    assert push is not None
    return push


def inbox() -> list[tuple[str, str, int]]:
    """Code, state and repeats of every callback kept."""
    return list(DfireCallback.objects.order_by("id").values_list("code", "state", "repeats"))


def close_connection() -> None:
    """At the end of a test's thread, which has a database connection of its own."""
    connection.close()
