"""What customers, platforms, cashiers and staff do, at random from a seed, and what they were promised.

A caller that gets no answer asks again, as the platform does; what was answered once is a promise.
"""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests
from django.db import DatabaseError, close_old_connections, transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.errors import Refused
from coupons.models import IssuedCoupon
from merchants import customers
from merchants.models import Customer
from tests.e2e.portal import Portal

TEMPLATES = 6
CUSTOMERS = 400
UNBOUND = 40  # of them have no openid at first
PATIENCE_SECONDS = 120  # how long a caller repeats what was not answered
ANSWER_SECONDS = 10

OPERATIONS = {"give": 52, "redeem": 24, "revoke": 10, "bind": 4, "redeem again": 6, "give and revoke": 4}


@dataclass
class Promises:
    """What callers were told: codes given out, redemptions that the till made, revokes that were accepted."""

    given: dict[str, str] = field(default_factory=dict)  # code -> customer's identifier
    redeemed: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def some_code(self, rng: random.Random) -> str | None:
        """A code that is most likely neither redeemed nor revoked."""
        with self.lock:
            codes = list(self.given)
        for _ in range(20):
            if not codes:
                return None
            code = rng.choice(codes[-2000:])
            if code not in self.redeemed and code not in self.revoked:
                return code
        return None


class Driver:
    """One of several that work side by side."""

    def __init__(self, portal: Portal, promises: Promises, seed: int, number: int) -> None:
        self.portal = portal
        self.promises = promises
        self.random = random.Random(seed * 100 + number)
        self.number = number
        self.serial = 0
        self.session = requests.Session()
        self.session.trust_env = False

    def run(self, coupon_ids: list[str], operations: int, pause_seconds: float) -> None:
        """So many operations, with a pause between them."""
        for _ in range(operations):
            kind = self.random.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
            try:
                close_old_connections()
                self._do(kind, coupon_ids)
            except DatabaseError:
                self._count(f"{kind}: database away")
                time.sleep(0.2)
            self._count("operations")
            time.sleep(self.random.uniform(0, 2 * pause_seconds))

    def _do(self, kind: str, coupon_ids: list[str]) -> None:
        if kind.startswith("give"):
            code = self.give(self.random.choice(coupon_ids), self._identifier())
            if kind == "give and revoke" and code:
                self.revoke(code)
        elif kind == "bind":
            self.bind()
        elif code := self.promises.some_code(self.random):
            if kind == "revoke":
                self.revoke(code)
            else:
                self.redeem(code, times=3 if kind == "redeem again" else 1)
        self._count(kind)

    def give(self, coupon_id: str, identifier: str) -> str | None:
        """Push a detail until it is answered. The end's second makes each push one of its own."""
        self.serial += 1
        end = timezone.now() + timedelta(days=20, seconds=self.serial, minutes=self.number)
        body = {
            "identifier": identifier,
            "coupon_id": coupon_id,
            "merchant_id": "88",
            "expiration_time": end.strftime("%Y-%m-%d %H:%M:%S"),
        }
        answer = self._insist("hooks/smart-coupon/e2e-token/coupon-detail/", body)
        if answer is None:
            return None
        code = str(answer["result"]["coupon_detail_id"])
        with self.promises.lock:
            self.promises.given[code] = identifier
        return code

    def create(self, title: str) -> str:
        """Push a new coupon."""
        end = (timezone.now() + timedelta(days=60)).strftime("%Y-%m-%d 23:59:59")
        body = {
            "coupon_name": title, "coupon_amount": 10, "min_buy_price": 0, "coupon_type": 0,
            "expiration_type": 1, "expiration_time": end, "merchant_id": "88",
        }  # fmt: skip
        answer = self._insist("hooks/smart-coupon/e2e-token/coupon/", body)
        assert answer is not None
        return str(answer["result"]["coupon_id"])

    def redeem(self, code: str, *, times: int) -> None:
        """At the till. The callback may come several times, late, and by a clock that is wrong."""
        order: dict[str, Any] = {"code": code, "times": times, "shop_entity_id": "00026863"}
        if self.random.random() < 0.1:
            order["delay_seconds"] = self.random.uniform(0, 5)
        if self.random.random() < 0.1:
            order["timestamp_offset_seconds"] = self.random.choice([-3600, 300])
        answer = self.session.post(f"{self.portal.sandbox_url}/control/redeem", json=order, timeout=60)
        if answer.ok and answer.json().get("redeemed"):
            with self.promises.lock:
                self.promises.redeemed.add(code)
        else:
            self._count("redeem: refused at the till")

    def revoke(self, code: str) -> None:
        """By staff."""
        try:
            with transaction.atomic():
                found = IssuedCoupon.objects.only("pk").get(code=code)
                lifecycle.revoke(lifecycle.lock([found.pk])[0], reason="chaos", actor="staff:chaos")
        except Refused:
            self._count("revoke: refused")
        else:
            with self.promises.lock:
                self.promises.revoked.add(code)

    def bind(self) -> None:
        """Give a customer an openid, or another one."""
        identifier = self._identifier()
        customer = Customer.objects.filter(identifier=identifier).first()
        if customer is not None:
            customers.bind(customer, openid=f"o-{identifier}-{self.random.randrange(10**6)}")

    def _insist(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Post until there is an answer, as the platform does; None if it was a lasting no."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = self.session.post(f"{self.portal.url}/{path}", json=body, timeout=ANSWER_SECONDS)
            except requests.RequestException:
                self._count("push: no answer")
                time.sleep(0.2)
                continue
            if answer.status_code == 200:
                accepted: dict[str, Any] = answer.json()
                return accepted
            self._count(f"push: {answer.status_code}")
            if answer.status_code == 409:
                return None
            if answer.status_code not in (429, 500, 502, 503):
                raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
            time.sleep(0.2)
        raise AssertionError(f"{path} was not answered in {PATIENCE_SECONDS} s")

    def _identifier(self) -> str:
        return f"139{self.random.randrange(CUSTOMERS):08d}"

    def _count(self, what: str) -> None:
        with self.promises.lock:
            self.promises.counts[what] += 1
