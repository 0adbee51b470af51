"""From a push to the till and back, over real processes, PostgreSQL, Redis and HTTP."""

import os
import re
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import requests
from django.utils import timezone
from redis import Redis as Client

from config.embedded.redis import Redis
from tests.e2e.portal import MOBILE, Portal, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

SOON = (timezone.now() + timedelta(days=30)).strftime("%Y-%m-%d 23:59:59")
PROMISED_SECONDS = 3


def seed_coupon(name: str = "现金券") -> dict[str, Any]:
    """The seed's sample with its dates moved into the future."""
    return {
        "coupon_name": name, "coupon_amount": 10, "min_buy_price": 0, "coupon_type": 0,
        "expiration_type": 1, "expiration_time": SOON, "expiration_interval": 1, "merchant_id": "88",
    }  # fmt: skip


def created(portal: Portal, name: str) -> str:
    answer = portal.push("coupon", seed_coupon(name))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"]["coupon_id"])


def given(portal: Portal, coupon_id: str) -> str:
    detail = {"identifier": MOBILE, "expiration_time": SOON, "coupon_id": coupon_id, "merchant_id": "88"}
    answer = portal.push("coupon-detail", detail)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"]["coupon_detail_id"])


def signed_in(portal: Portal) -> requests.Session:
    """An administrator's browser, without the browser."""
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = portal.environment["DJANGO_SUPERUSER_PASSWORD"] = "korrekt-Pferd-9"
    name = f"boss{time.monotonic_ns()}"
    portal.manage("createsuperuser", "--noinput", "--username", name, "--email", "")
    session = requests.Session()
    page = session.get(f"{portal.url}/admin/login/", timeout=10).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": name, "password": "korrekt-Pferd-9"}
    answer = session.post(f"{portal.url}/admin/login/", data=form, timeout=10)
    assert answer.ok
    assert "/login/" not in answer.url
    return session


def test_a_push_reaches_the_till_and_the_tills_word_comes_back(portal: Portal) -> None:
    began = time.monotonic()
    coupon_id = created(portal, "整圈")
    code = given(portal, coupon_id)
    until(lambda: portal.held(code), seconds=PROMISED_SECONDS - (time.monotonic() - began))
    assert coupon_id in [promotion["promotion_id"] for promotion in portal.ledger()["promotions"]]

    told = portal.control("redeem", {"code": code, "shop_entity_id": "00026863"})
    assert [callback["http_status"] for callback in told["callbacks"]] == [200]

    until(lambda: portal.reported(code), seconds=10)

    session = signed_in(portal)
    assert "谷雨小馆" in session.get(f"{portal.url}/admin/merchants/merchant/", timeout=10).text
    listed = session.get(f"{portal.url}/admin/coupons/issuedcoupon/?q={code}", timeout=10).text
    link = re.search(r'href="(/admin/coupons/issuedcoupon/\d+/change/[^"]*)"', listed)
    assert link, listed[:3000]
    page = session.get(portal.url + link[1], timeout=10).text
    for word in (code, "已核销", "西湖店", "dfire.shop.deliver.promotion", "consumereport"):
        assert word in page


def test_a_broker_that_is_down_at_the_push_changes_nothing_but_the_delay(portal: Portal) -> None:
    coupon_id = created(portal, "断线")
    until(lambda: coupon_id in str(portal.ledger()["promotions"]), seconds=10)
    time.sleep(2)  # a worker that is still at it would find the coupon without being rung for
    redis = portal.servers.start(["redis"])["redis"]
    assert redis.process.end(Redis.abort)
    began = time.monotonic()
    code = given(portal, coupon_id)
    assert time.monotonic() - began < 2, "the push waited for the broker"
    time.sleep(3)  # long enough for worker and beat to miss it
    assert portal.held(code) is None
    again = portal.servers.start(["redis"])["redis"]
    assert again.url == redis.url
    until(lambda: portal.held(code), seconds=40)


def test_a_broker_that_loses_everything_loses_no_coupon(portal: Portal) -> None:
    coupon_id = created(portal, "清空")
    portal.kill("worker")
    code = given(portal, coupon_id)
    with Client.from_url(portal.environment["REDIS_URL"]) as client:
        client.flushall()
    portal.start("worker")
    until(lambda: portal.held(code), seconds=30)


def test_a_worker_killed_in_the_middle_of_a_call_delivers_exactly_once(portal: Portal) -> None:
    coupon_id = created(portal, "断电")
    until(lambda: coupon_id in str(portal.ledger()["promotions"]), seconds=10)
    slow = {"method": "dfire.shop.deliver.promotion", "fault": "latency", "latency_ms": 800, "times": 1}
    portal.control("faults", {"seed": 1, "rules": [slow]})
    code = given(portal, coupon_id)
    until(lambda: "dfire.shop.deliver" in str(_last_requests(portal, code)) or portal.held(code), seconds=10)
    portal.kill("worker")
    portal.start("worker")
    until(lambda: _delivery(portal, code) == "delivered", seconds=60)
    held = portal.held(code)
    assert held is not None
    assert (held["status"], held["delivered"], held["refused_deliveries"]) == ("held", 1, 0)


def _last_requests(portal: Portal, code: str) -> Any:
    return requests.get(f"{portal.sandbox_url}/control/requests?code={code}", timeout=10).json()


def _delivery(portal: Portal, code: str) -> str:
    with psycopg.connect(portal.environment["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT delivery FROM coupons_issuedcoupon WHERE code = %s", [code]).fetchone()
    return str(row[0]) if row else ""
