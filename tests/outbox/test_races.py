"""Everything at once: two workers, a dfire that misbehaves, staff who revoke, tills that redeem, new bindings.

Whatever the order of events, nobody waits for ever, and dfire's ledger and ours agree in the end.
"""

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, connections

from coupons.choices import CouponStatus, Delivery
from coupons.errors import Refused
from coupons.models import CouponTemplate, IssuedCoupon
from integrations import inbox
from integrations.inbox import Redemption
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import engine
from merchants import customers
from merchants.models import DfireAccount
from tests.factories import CustomerFactory, issued
from tests.outbox.dfire import ASK_CUSTOMER, DELIVER, WITHDRAW, Dfire
from tests.outbox.helpers import drain_through, revoke, time_passes
from tests.outbox.workers import draining_processes

pytestmark = pytest.mark.django_db(transaction=True)

COUPONS = 60
FAULTS = ["busy", "drop_before", "drop_after", "http_500_after", "garbage_after"]


class Crowd:
    """Threads with their own connections; what went wrong in any of them is kept."""

    def __init__(self) -> None:
        self.failed: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def start(self, act: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                act()
            except BaseException as error:
                self.failed.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=run)
        thread.start()
        self._threads.append(thread)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "somebody waits for ever"


def redeem_if_held(dfire: Dfire, coupon: IssuedCoupon) -> None:
    """A customer at the till, and the callback that follows."""
    held = dfire.coupon(coupon.code)
    if held is None or held["status"] != "held":
        return
    try:
        dfire.redeem(coupon.code)
    except AssertionError:
        return  # it was taken back this very moment
    inbox.take(
        coupon.merchant.dfire_account,  # type: ignore[arg-type]
        Redemption(
            code=coupon.code, promotion_id="", entity_id="", sent_at=datetime.now(UTC), parameters={"c": coupon.code}
        ),
    )


def test_whatever_happens_at_once_the_ledgers_agree_in_the_end(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    dice = random.Random(11)
    people = [CustomerFactory(merchant=template.merchant, openid=dice.choice(["", f"o{n}"])) for n in range(COUPONS)]
    coupons = [issued(template, person) for person in people]
    rules = [
        {"method": method, "fault": kind, "probability": 0.08}
        for method in (DELIVER, WITHDRAW, ASK_CUSTOMER)
        for kind in FAULTS
    ]
    dfire._call("POST", "faults", json={"rules": rules, "seed": 5})
    crowd = Crowd()
    others = draining_processes(1)
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            engine.drain()
            time_passes()
            time.sleep(0.02)

    def revoke_some() -> None:
        for coupon in coupons[::3]:
            time.sleep(0.01)
            try:
                revoke(IssuedCoupon.objects.get(pk=coupon.pk))
            except Refused:
                continue

    def redeem_some() -> None:
        for coupon in coupons[::4] * 2:
            time.sleep(0.01)
            redeem_if_held(dfire, coupon)

    def bind_all() -> None:
        for number, person in enumerate(reversed(people)):
            customers.bind(type(person).objects.get(pk=person.pk), openid=f"new-{number}")

    crowd.start(work)
    for act in (revoke_some, redeem_some, bind_all):
        crowd.start(act)
    time.sleep(1.5)
    dfire.behave()
    over.set()
    crowd.join()
    for process in others:
        deadline = time.monotonic() + 30
        while process.poll() is None:  # it works until nothing is left
            assert time.monotonic() < deadline, list(OutboxRow.objects.exclude(state=RowState.DONE).values())
            time_passes()
            time.sleep(0.05)
        assert process.returncode == 0
    drain_through(30)
    assert crowd.failed == []
    assert dfire.totals()["delivered_twice"] == 0
    assert dfire.totals()["used_twice"] == 0
    assert not OutboxRow.objects.exclude(state__in=[RowState.DONE, RowState.CANCELLED]).exists()
    for coupon in coupons:
        coupon.refresh_from_db()
        held = dfire.coupon(coupon.code)
        status = held["status"] if held else None
        expected = {
            CouponStatus.ISSUED: ("held",),
            CouponStatus.REVOKED: (None, "deleted"),
            CouponStatus.REDEEMED: ("used",),
        }
        assert status in expected[CouponStatus(coupon.status)], (coupon.code, coupon.status, held)
        assert coupon.status != CouponStatus.ISSUED or coupon.delivery == Delivery.DELIVERED
    connection.close()
