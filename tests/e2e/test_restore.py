"""An older database comes back while dfire has gone on: a dump in the middle of load, restored beside, put to work."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from tests import documented
from tests.e2e.portal import Portal, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PUSHERS = 3
BOUND = [f"139{number:08d}" for number in range(40)]
BOUND_AFTER_THE_DUMP = [f"137{number:08d}" for number in range(8)]
NEVER_BOUND = [f"136{number:08d}" for number in range(8)]  # until the portal runs on the restored database
CALLS_A_SECOND = 12  # so that much is on its way when the dump is taken


@dataclass
class World:
    """What the outside knows: the codes that the portal promised, and what became of them after the dump."""

    portal: Portal
    coupon_id: str = ""
    given: list[str] = field(default_factory=list)
    settled_before: list[str] = field(default_factory=list)
    redeemed_since: set[str] = field(default_factory=set)
    revoked_since: set[str] = field(default_factory=set)
    promised_before: list[str] = field(default_factory=list)
    refused_before: int = 0

    def push(self, identifier: str, serial: int) -> None:
        """Give the customer a coupon; the end's second makes each push one of its own."""
        end = timezone.localtime() + timedelta(days=20, seconds=serial)
        body = {"identifier": identifier, "coupon_id": self.coupon_id, "merchant_id": "88"}
        answer = self.portal.push("coupon-detail", {**body, "expiration_time": end.strftime("%Y-%m-%d %H:%M:%S")})
        assert answer.status_code == 200, answer.text
        self.given.append(str(answer.json()["result"]["coupon_detail_id"]))

    def sql(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the portal's present database."""
        with psycopg.connect(self.portal.environment["DATABASE_URL"]) as connection:
            return connection.execute(query, parameters).fetchall()

    def delivered(self) -> set[str]:
        """What the portal knows to be delivered."""
        return {row[0] for row in self.sql("SELECT code FROM coupons_issuedcoupon WHERE delivery = 'delivered'")}

    def at_dfire(self) -> dict[str, dict[str, Any]]:
        """The sandbox's coupons by code."""
        return {coupon["code"]: coupon for coupon in self.portal.ledger()["coupons"]}

    def bind(self, identifiers: list[str], **account: Any) -> None:
        """Each customer's openid, always the same; and, in the same run, something about the dfire account."""
        customers = [
            {"merchant_id": "88", "identifier": identifier, "mobile": identifier, "openid": f"o-{identifier}"}
            for identifier in identifiers
        ]
        path = self.portal.folder / "bindings.json"
        path.write_text(json.dumps({"dfire_accounts": [{"name": "sandbox", **account}], "customers": customers}))
        self.portal.manage("provision", str(path))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A portal of its own, brought to where it runs on the restored database and everything is quiet."""
    portal = Portal()
    portal.environment |= {
        "HOOK_RATE_LIMIT": "0",
        "BACKUP": str(portal.folder / "coupon.dump"),
        "RESTORED_URL": portal.environment["DATABASE_URL"] + "_restored",
    }
    try:
        portal.up()
        world = World(portal)
        _work_and_dump(world)
        _restore(world)
        yield world
    finally:
        portal.down()


def _work_and_dump(world: World) -> None:
    """Load, a dump in its middle, and much that happens after it; then the portal ends, as in a disaster."""
    portal = world.portal
    world.bind(BOUND, max_requests_per_second=CALLS_A_SECOND)
    coupon = {
        "coupon_name": "备份", "coupon_amount": 10, "min_buy_price": 0, "coupon_type": 0, "expiration_type": 1,
        "expiration_time": (timezone.now() + timedelta(days=60)).strftime("%Y-%m-%d 23:59:59"), "merchant_id": "88",
    }  # fmt: skip
    world.coupon_id = str(portal.push("coupon", coupon).json()["result"]["coupon_id"])
    lost = {"method": "dfire.shop.deliver.promotion", "fault": "drop_after", "probability": 0.2}
    portal.control("faults", {"seed": 1, "rules": [lost, {**lost, "fault": "drop_before", "probability": 0.1}]})
    for serial, identifier in enumerate([*BOUND_AFTER_THE_DUMP, *NEVER_BOUND]):
        world.push(identifier, serial)
    enough = threading.Event()
    pushers = [threading.Thread(target=_push_on, args=(world, number, enough)) for number in range(PUSHERS)]
    for pusher in pushers:
        pusher.start()
    until(lambda: len(world.given) > 70 and len(world.delivered()) > 20, seconds=30)
    world.settled_before = sorted(world.delivered())
    world.promised_before = list(world.given)
    documented.run("upgrade.md", "Backup", portal.environment)
    known = len(world.given)
    until(lambda: len(world.given) > known + 30, seconds=30)
    enough.set()
    for pusher in pushers:
        pusher.join()
    _after_the_dump(world, known)
    for name in ("web", "worker", "beat"):
        portal.kill(name)


def _push_on(world: World, number: int, enough: threading.Event) -> None:
    serial = 1000 * (number + 1)
    while not enough.is_set():
        serial += 1
        world.push(BOUND[serial % len(BOUND)], serial)
        time.sleep(0.03)


def _after_the_dump(world: World, known: int) -> None:
    """What the dump knows nothing of: deliveries, redemptions, revokes, bindings."""
    world.revoked_since = set(world.settled_before[:3])
    world.portal.manage("shell", "-c", _REVOKE.format(codes=sorted(world.revoked_since)))
    world.bind(BOUND_AFTER_THE_DUMP)
    bound_since = world.given[: len(BOUND_AFTER_THE_DUMP)]
    until(lambda: {*world.given[known + 10 : known + 20], *bound_since} <= world.at_dfire().keys(), seconds=60)
    there = world.at_dfire()
    on_its_way = [code for code in world.promised_before if code in there and code not in world.settled_before]
    issued_since = [code for code in world.given[known:] if code in there]
    for code in [*world.settled_before[-3:], *on_its_way[-8:], *bound_since[:2], *issued_since[:2]]:
        answer = world.portal.control("redeem", {"code": code, "shop_entity_id": "00026863"})
        if answer["redeemed"]:
            world.redeemed_since.add(code)


_REVOKE = """
from django.db import transaction
from coupons import lifecycle
from coupons.models import IssuedCoupon
with transaction.atomic():
    for coupon in lifecycle.lock(IssuedCoupon.objects.filter(code__in={codes}).values_list("pk", flat=True)):
        lifecycle.revoke(coupon, reason="e2e", actor="staff:e2e")
"""


def _restore(world: World) -> None:
    """The documented commands, and the portal started on the restored database until nothing is on its way."""
    portal = world.portal
    world.refused_before = portal.ledger()["totals"]["refused_deliveries"]
    documented.run("upgrade.md", "Restore", portal.environment)
    portal.environment["DATABASE_URL"] = portal.environment["RESTORED_URL"]
    for name in ("web", "worker", "beat"):
        portal.start(name)
    world.bind([*BOUND_AFTER_THE_DUMP, *NEVER_BOUND], max_requests_per_second=0)
    on_its_way = "SELECT count(*) FROM integrations_outboxrow WHERE state IN ('queued', 'sending', 'waiting')"
    until(lambda: world.sql(on_its_way) == [(0,)], seconds=60)
    compared = "SELECT count(*) FROM integrations_reconciliation WHERE state IN ('planned', 'confirm')"
    until(lambda: world.sql(compared) == [(1,)], seconds=30)


def test_no_coupon_is_delivered_twice_and_dfire_need_not_refuse_one(world: World) -> None:
    totals = world.portal.ledger()["totals"]
    assert (totals["delivered_twice"], totals["used_twice"]) == (0, 0)
    assert totals["refused_deliveries"] == world.refused_before


def test_dfire_is_asked_before_anything_that_the_dump_had_not_settled_is_sent(world: World) -> None:
    calls = world.sql(
        "SELECT array_agg(a.phase ORDER BY a.id) FROM integrations_outboxattempt AS a"
        " JOIN integrations_outboxattempt AS assumed ON assumed.row_id = a.row_id AND assumed.id < a.id"
        " WHERE assumed.result = 'assumed' GROUP BY a.row_id"
    )
    found = [phases for (phases,) in calls if phases == ["ask"]]
    sent = [phases for (phases,) in calls if "send" in phases]
    assert len(found) > 15, "what had been sent after the dump was found"
    assert len(sent) >= len(NEVER_BOUND), "and what had not been was sent"
    assert all(phases[:3] == ["ask", "ask", "send"] for phases in sent)


def test_what_the_dump_had_not_settled_is_settled_as_dfire_has_it(world: World) -> None:
    there = world.at_dfire()
    here = world.sql(
        "SELECT c.code, c.delivery, c.status, c.delivered_openid FROM coupons_issuedcoupon AS c"
        " JOIN integrations_outboxrow AS o ON o.coupon_id = c.id"
        " JOIN integrations_outboxattempt AS a ON a.row_id = o.id WHERE a.result = 'assumed'"
    )
    redeemed = {code for code, *_ in here} & world.redeemed_since
    assert len(redeemed) >= 5
    for code, delivery, status, openid in here:
        assert (delivery, openid) == ("delivered", there[code]["openid"]), code
        assert status == ("redeemed" if code in redeemed else "issued"), code
        assert there[code]["status"] == ("used" if code in redeemed else "held"), code


def test_nothing_that_was_promised_before_the_dump_is_lost(world: World) -> None:
    here = {code for (code,) in world.sql("SELECT code FROM coupons_issuedcoupon")}
    assert here >= set(world.promised_before)
    assert world.at_dfire().keys() >= here


def test_what_the_dump_does_not_know_is_found_by_the_comparison_with_dfire(world: World) -> None:
    here = {code for (code,) in world.sql("SELECT code FROM coupons_issuedcoupon")}
    found: dict[str, set[str]] = {}
    for kind, code in world.sql("SELECT kind, subject FROM integrations_finding"):
        found.setdefault(kind, set()).add(code)
    issued_since = {code for code in world.at_dfire() if code not in here}
    assert len(issued_since) >= 10
    assert found["unknown_here"] == issued_since
    redeemed = world.redeemed_since & set(world.settled_before)
    assert found["redeemed_there"] >= redeemed
    assert found["missing_there"] == world.revoked_since
