"""Redeeming at the same moment as something else, with real threads on PostgreSQL: the first wins, everywhere.

`make races` runs each a hundred times in a row (RACES); here three times.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from coupons import lifecycle
from coupons.models import IssuedCoupon
from integrations.models import PartnerOrder
from integrations.outbox import engine
from tests.api.caller import caller_of
from tests.api.redeeming import VERIFY, Scene, figures, order
from tests.api.test_redeeming_outcomes import till_says
from tests.factories import CustomerFactory
from tests.outbox.helpers import drain_through

RACES = int(os.environ.get("RACES", "3"))
MOST_APART_SECONDS = 0.06  # of two that race: about as long as one of them takes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.parametrize("race", range(RACES))]

AtOnce = Callable[[Callable[[int], Any], int], list[Any]]


def settled(scene: Scene) -> tuple[IssuedCoupon, dict[str, Any]]:
    """The coupon and dfire's row of it once nothing is on its way any more; both sides agree, and so do the figures."""
    drain_through()
    coupon, there = scene.fresh(), scene.spent()
    assert (coupon.status == "redeemed") == (there["status"] == "used"), (coupon.status, there)
    assert there["verified"] + there["redeemed"] == (coupon.status == "redeemed")
    assert figures().get("redeemed", 0) == (coupon.status == "redeemed")
    if log := os.environ.get("RACES_LOG"):  # who won how often
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split("[")[0]
        with Path(log).open("a") as file:
            file.write(f"{name} {coupon.status} by {there['used_by']}\n")
    return coupon, there


def apart(race: int, *acts: Callable[[], Any]) -> Callable[[int], Any]:
    """Each act at a moment of its own that this race's number decides, so that each of them comes first at times."""
    moments = random.Random(race)
    waits = [moments.uniform(0, MOST_APART_SECONDS) for _ in acts]

    def run(number: int) -> Any:
        time.sleep(waits[number])
        return acts[number]()

    return run


def codes(answers: list[Any]) -> Counter[str]:
    """How often each status, or code of a refusal, was answered."""
    return Counter(
        str(answer.status_code) if answer.status_code < 400 else answer.json()["errors"][0]["code"]
        for answer in answers
    )


def test_two_orders_one_wins(scene: Scene, at_once: AtOnce, race: int) -> None:
    other = caller_of("other-app", scene.coupon.merchant)
    path = f"coupons/{scene.coupon.code}/redeem/"
    answers = at_once(lambda n: (scene.api, other)[n % 2].post(path, order(f"o-{n}")), 4)
    coupon, there = settled(scene)
    said = codes(answers)
    assert said["200"] + said["202"] == 1, said
    assert said["already_redeemed"] + said["redeeming"] == 3, said
    winner = next(n for n, answer in enumerate(answers) if answer.status_code < 400)
    assert (coupon.redeemed_through, there["order_id"]) == ("api", f"o-{winner}")
    assert PartnerOrder.objects.get().order_id == f"o-{winner}"


def test_one_order_twenty_times_is_one_redemption(scene: Scene, at_once: AtOnce, race: int) -> None:
    answers = at_once(lambda n: scene.redeem(), 20)
    assert set(codes(answers)) <= {"200", "202"}, codes(answers)
    settled(scene)
    assert scene.redeem().status_code == 200
    assert (PartnerOrder.objects.count(), len(scene.dfire.calls(VERIFY))) == (1, 1)


def test_one_order_twenty_times_with_a_key_and_a_worker(scene: Scene, at_once: AtOnce, race: int) -> None:
    def act(number: int) -> Any:
        return scene.redeem(headers={"idempotency_key": "k"}) if number < 20 else engine.drain()

    answers = at_once(act, 21)[:20]
    assert set(codes(answers)) <= {"200", "202"}, codes(answers)
    settled(scene)
    assert scene.redeem(headers={"idempotency_key": "k"}).status_code == 200
    assert len(scene.dfire.calls(VERIFY)) == 1


def test_a_till_and_an_order_one_wins(scene: Scene, at_once: AtOnce, race: int) -> None:
    """The till takes it at dfire, if it is not used there yet, and its callback comes at once."""

    answer, taken = at_once(apart(race, scene.redeem, lambda: _at_the_till(scene)), 2)
    coupon, there = settled(scene)
    state = scene.order().state if PartnerOrder.objects.exists() else "lost"
    if taken:
        assert (coupon.redeemed_through, there["used_by"], state) == ("till", "till", "lost")
        assert codes([answer])["already_redeemed"] + codes([answer])["202"] == 1
    else:
        assert (coupon.redeemed_through, there["used_by"], state) == ("api", "verify", "redeemed")
        assert answer.status_code in (200, 202)
    again = scene.redeem()
    assert codes([again]) == ({"already_redeemed": 1} if taken else {"200": 1})


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_an_echo_and_an_order_whose_answer_is_lost_end_as_one(
    scene: Scene, at_once: AtOnce, race: int, fault: str
) -> None:
    scene.dfire.fault(VERIFY, fault)
    answer, _taken = at_once(apart(race, scene.redeem, lambda: _at_the_till(scene)), 2)
    coupon, _there = settled(scene)
    again = scene.redeem()
    assert codes([again]) == ({"200": 1} if coupon.redeemed_through == "api" else {"already_redeemed": 1})
    assert not (answer.status_code == 409 and coupon.redeemed_through == "api")


def test_a_revoke_and_an_order_one_wins(scene: Scene, at_once: AtOnce, race: int) -> None:
    path = f"coupons/{scene.coupon.code}/revoke/"
    redeem, revoke = at_once(apart(race, scene.redeem, lambda: scene.api.post(path, {"reason": "race"})), 2)
    coupon, there = settled(scene)
    if coupon.status == "redeemed":
        assert redeem.status_code in (200, 202)
        assert codes([revoke])["redeeming"] + codes([revoke])["already_redeemed"] == 1
        assert there["used_by"] == "verify"
    else:
        assert (coupon.status, revoke.status_code, codes([redeem])["revoked"], there["status"]) == (
            "revoked", 200, 1, "deleted",
        )  # fmt: skip


def test_expiry_and_an_order_one_wins(scene: Scene, at_once: AtOnce, race: int) -> None:
    """Its last second ends while the order comes in."""
    over = timezone.now() - timedelta(milliseconds=950)
    IssuedCoupon.objects.filter(pk=scene.coupon.pk).update(valid_from=over, valid_until=over)

    redeem, _expired = at_once(apart(race, scene.redeem, lambda: [lifecycle.expire_due() for _ in range(30)]), 2)
    lifecycle.expire_due()
    coupon, _there = settled(scene)
    if redeem.status_code < 400:
        assert coupon.status == "redeemed"
    else:
        assert (coupon.status, codes([redeem])["expired"]) == ("expired", 1)


def test_a_transfer_and_an_order_one_wins(scene: Scene, at_once: AtOnce, race: int) -> None:
    friend = CustomerFactory(merchant=scene.coupon.merchant, identifier="friend", openid="o-friend")
    path = f"coupons/{scene.coupon.code}/transfer/"
    redeem, give = at_once(apart(race, scene.redeem, lambda: scene.api.post(path, {"to_identifier": "friend"})), 2)
    coupon, there = settled(scene)
    if give.status_code == 202:
        assert (coupon.status, coupon.customer, there["openid"]) == ("issued", friend, "o-friend")
        assert codes([redeem])["not_delivered"] == 1
    else:
        assert (coupon.status, codes([give])["redeeming"] + codes([give])["already_redeemed"]) == ("redeemed", 1)
        assert coupon.customer == scene.coupon.customer


def _at_the_till(scene: Scene) -> bool:
    """A cashier scans it. Returns whether the till took it."""
    answer = scene.dfire._call("POST", "redeem", json={"code": scene.coupon.code, "notify": False})
    if answer["redeemed"]:
        till_says(scene.coupon)
    return bool(answer["redeemed"])
