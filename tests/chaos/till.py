"""The cashier, and dfire's side of the redemption callback where it misbehaves: twice, late, by a wrong clock, forged.

A plain redemption leaves the callback to the sandbox. Where the message itself must be odd, the till keeps silent and
the messages are made and sent from here, until the portal has accepted them.
"""

import heapq
import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from integrations.dfire.signing import sign
from tests.chaos.portal import ChaosPortal
from tests.chaos.promises import Promises
from tests.e2e.portal import APP_KEY, APP_SECRET

SHOP = "00026863"
MINUTE, DAY = 60, 24 * 60 * 60
PERMITTED_SKEWS = (-6 * DAY, -3600, -MINUTE, 9 * MINUTE)
FORBIDDEN_SKEWS = (-8 * DAY, -400 * DAY, 11 * MINUTE, 3600)
OUTSIDE, FORGED = (400, "013"), (401, "011")  # status and resultCode (DESIGN, Addresses)
SENDERS = 4


@dataclass(order=True)
class _Due:
    at: float
    turn: int
    code: str = field(compare=False)


class Courier:
    """dfire's sender of callbacks: each is repeated, newly stamped and signed, until it was accepted."""

    def __init__(self, portal: ChaosPortal, promises: Promises) -> None:
        self.url = f"{portal.url}/hooks/dfire/"
        self.promises = promises
        self.pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="courier")
        self.open = 0
        self.errors: list[BaseException] = []
        self._waiting: list[_Due] = []
        self._turns = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="courier", daemon=True).start()

    def later(self, code: str, seconds: float) -> None:
        """Tell the portal of this redemption so many seconds from now, and again until it accepts."""
        with self._changed:
            self.open += 1
            self._wait(code, seconds)

    def tell(self, code: str, *, skew_seconds: float = 0, secret: str = APP_SECRET) -> tuple[int, str]:
        """Send one callback now: the answer's status and resultCode; (0, "") where none came."""
        params = {
            "appKey": APP_KEY,
            "timestamp": str(int((time.time() + skew_seconds) * 1000)),
            "v": "1.0",
            "method": "dfire.shop.promotion.change.push",
            "entityId": SHOP,
            "thirdDeliverCode": code,
            "plateEntityId": "99927571",
        }
        form = {**params, "sign": sign(params, secret)}
        try:
            answer = requests.post(self.url, data=form, timeout=10)
            told: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError):
            return 0, ""
        return answer.status_code, str(told.get("resultCode", ""))

    def refused(self, code: str, expected: tuple[int, str], **how: Any) -> None:
        """Send one that must be refused so, unless the portal cannot answer at all. Raises AssertionError."""
        answer = self.tell(code, **how)
        assert answer == expected or answer[0] in (0, 502, 503), f"{code} {how}: {answer} instead of {expected}"
        if answer == expected:
            self.promises.count(f"callback refused as it should be: {answer[1]}")

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._waiting[0].at > time.monotonic():
                    self._changed.wait(self._waiting[0].at - time.monotonic() if self._waiting else None)
                due = heapq.heappop(self._waiting)
            self.pool.submit(self._send, due.code)

    def _send(self, code: str) -> None:
        status, result = self.tell(code)
        with self._changed:
            if status in (0, 429, 502, 503):
                self._wait(code, 0.5)
                return
            self.open -= 1
            if (status, result) != (200, "000"):
                self.errors.append(AssertionError(f"callback for {code}: {status} {result}"))

    def _wait(self, code: str, seconds: float) -> None:
        heapq.heappush(self._waiting, _Due(time.monotonic() + seconds, next(self._turns), code))
        self._changed.notify()


class Till:
    """What cashiers do."""

    def __init__(self, portal: ChaosPortal, promises: Promises, courier: Courier, rng: random.Random) -> None:
        self.url = f"{portal.sandbox_url}/control/redeem"
        self.promises = promises
        self.courier = courier
        self.random = rng
        self.session = requests.Session()
        self.session.trust_env = False

    def redeem(self, code: str, **how: Any) -> bool:
        """Redeem one; False where the till refuses. The sandbox tells the portal, unless told not to."""
        order = {"code": code, "shop_entity_id": SHOP, **how}
        answer = self.session.post(self.url, json=order, timeout=60)
        assert answer.ok, answer.text
        if not answer.json()["redeemed"]:
            return False
        self.promises.told(self.promises.redeemed, code)
        return True

    def twice(self, code: str) -> bool:
        """The callback comes three times at the same moment, or as different messages side by side and again later."""
        if self.random.random() < 0.5:
            return self.redeem(code, times=3)
        if not self.redeem(code, notify=False):
            return False
        for seconds in (0, 0, 0, self.random.uniform(1, 10)):
            self.courier.later(code, seconds)
        return True

    def late(self, code: str, most_seconds: float) -> bool:
        """The callback is held back, and meanwhile the portal goes on with the coupon."""
        return self.redeem(code, delay_seconds=max(1, round(self.random.uniform(0, most_seconds))))

    def skewed(self, code: str) -> bool:
        """dfire's clock is wrong: within what is permitted it is accepted, else refused until it is mended."""
        if self.random.random() < 0.4:
            return self.redeem(code, timestamp_offset_seconds=self.random.choice(PERMITTED_SKEWS))
        if not self.redeem(code, notify=False):
            return False
        self.courier.refused(code, OUTSIDE, skew_seconds=self.random.choice(FORBIDDEN_SKEWS))
        if self.random.random() < 0.3:
            self.courier.refused(code, FORGED, secret="not-the-secret")
        self.courier.later(code, self.random.uniform(0.2, 15))
        return True

    def as_soon_as_held(self, code: str, *, seconds: float) -> bool:
        """Redeem the very moment dfire has it; False if it does not get it in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.redeem(code):
                return True
            time.sleep(0.02)
        return False
