"""Arguments and calls that the dfire client's tests share, after the samples of seed 003."""

import contextlib
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from integrations.dfire import DfireClient
from tests.dfire.outside import http, success

SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
NOW = 1_496_250_000.5  # 2017-06-01 01:00:00.5 in Shanghai, still 31 May in UTC

SHOP = {"entity_id": "99927548", "plate_entity_id": "99927571"}
HOLDER = {"appid": "wxa5000000027822", "openid": "o3Pm6uD6KVk"}
COUPON = {**SHOP, **HOLDER, "promotion_id": "1001", "mobile": "15000000000", "code": "9170616980313735"}
DELIVERED = success({"deliverSuccess": True, "canDeliver": True, "thirdDeliverCode": "9170616980313735"})

ORDER = {"order_id": "20170601001", "order_date": date(2017, 6, 1), "paid_fen": 1000, "saved_fen": 100}
SPENT = {**{name: COUPON[name] for name in COUPON if name != "mobile"}, **ORDER}
GOOD = http(DELIVERED)


def deliver(client: DfireClient) -> Any:
    """A call that changes something."""
    return client.deliver_promotion(**COUPON)


def query(client: DfireClient) -> Any:
    """A call that only reads."""
    return client.query_promotions(**SHOP)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds
