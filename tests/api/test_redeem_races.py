"""Redeeming at the same moment as something else, with real threads on PostgreSQL: the first wins, everywhere.

`make races` runs each a hundred times in a row (RACES); here three times. RACES_LOG names a file that is told who won.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

pytestmark = pytest.mark.django_db(transaction=True)

AtOnce = Callable[[Callable[[int], Any], int], list[Any]]


def races(scene: Scene) -> Iterator["Start"]:
    """So many races, each for a coupon of its own."""
    began = time.monotonic()
    assert patiently(scene.redeem).status_code in (200, 202)
    takes = time.monotonic() - began
    for number in range(RACES):
        scene.renew()
        yield Start(number, takes)
    assert figures().get("redeemed", 0) == IssuedCoupon.objects.filter(status="redeemed").count()


def settled(scene: Scene) -> tuple[IssuedCoupon, dict[str, Any]]:
    """The coupon and dfire's row of it once nothing is on its way any more; both agree, and each spent it once."""
    drain_through()
    coupon, there = scene.fresh(), scene.spent()
    assert (coupon.status == "redeemed") == (there["status"] == "used"), (coupon.status, there)
    assert there["verified"] + there["redeemed"] == (coupon.status == "redeemed")
    assert coupon.events.filter(kind="redeemed").count() == (coupon.status == "redeemed")
    note(f"{coupon.status} by {there['used_by']}")
    return coupon, there


def note(what: str) -> None:
    """Write down how a race went, where somebody wants to know."""
    if log := os.environ.get("RACES_LOG"):
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split(" ")[0]
        with Path(log).open("a") as file:
            file.write(f"{name} {what}\n")


def patiently(call: Callable[[], Any]) -> Any:
    """Call as a till program does: a 503, which a machine under load may give, is repeated."""
    for _try in range(50):
        if (answer := call()).status_code != 503:
            return answer
        note("503")
        time.sleep(0.1)
    raise AssertionError("503 again and again")


@dataclass
class Start:
    """One race: its number, and how long a redemption takes on this machine, in seconds."""

    number: int
    takes: float

    def apart(self, redeem: Callable[[], Any], other: Callable[[], Any], *, behind: float = 1) -> Callable[[int], Any]:
        """Each at a moment of its own that the number decides, so that each of them comes first at times.

        `behind`: in how many times a redemption's own time the other may come. A till is quick.
        """
        moments = random.Random(self.number)
        acts, waits = (redeem, other), (moments.uniform(0, self.takes), moments.uniform(0, self.takes * behind))

        def run(number: int) -> Any:
            time.sleep(waits[number])
            return acts[number]()

        return run


def codes(*answers: Any) -> Counter[str]:
    """How often each status, or code of a refusal, was answered."""
    return Counter(
        str(answer.status_code) if answer.status_code < 400 else answer.json()["errors"][0]["code"]
        for answer in answers
    )


def test_two_apps_with_four_orders_one_wins(scene: Scene, at_once: AtOnce) -> None:
    apps = (scene.api, caller_of("other-app", scene.coupon.merchant))
    for _race in races(scene):
        path = f"coupons/{scene.coupon.code}/redeem/"
        answers = at_once(lambda n, path=path: patiently(lambda: apps[n % 2].post(path, order(f"o-{n}"))), 4)  # type: ignore[misc]
        coupon, there = settled(scene)
        said = codes(*answers)
        assert said["200"] + said["202"] == 1, said
        assert said["already_redeemed"] + said["redeeming"] == 3, said
        winner = next(n for n, answer in enumerate(answers) if answer.status_code < 400)
        assert (coupon.redeemed_through, there["order_id"]) == ("api", f"o-{winner}")
        assert PartnerOrder.objects.get(coupon=coupon).order_id == f"o-{winner}"


def test_one_order_twenty_times_is_one_redemption(scene: Scene, at_once: AtOnce) -> None:
    for _race in races(scene):
        answers = at_once(lambda n: patiently(scene.redeem), 20)
        assert set(codes(*answers)) <= {"200", "202"}, codes(*answers)
        settled(scene)
        assert scene.redeem().status_code == 200
        assert (PartnerOrder.objects.filter(coupon=scene.coupon).count(), scene.verifies()) == (1, 1)


def test_one_order_with_a_key_and_a_worker(scene: Scene, at_once: AtOnce) -> None:
    key = {"idempotency_key": "k"}

    def act(number: int) -> Any:
        return patiently(lambda: scene.redeem(headers=key)) if number < 5 else engine.drain()

    for _race in races(scene):
        answers = at_once(act, 6)[:5]
        assert set(codes(*answers)) <= {"200", "202"}, codes(*answers)
        settled(scene)
        last = scene.redeem(headers=key)
        assert (last.status_code, scene.verifies()) == (200, 1)
        assert {answer.content for answer in answers if answer.status_code == 200} <= {last.content}


def test_a_till_and_an_order_one_wins(scene: Scene, at_once: AtOnce) -> None:
    """The till takes it at dfire, if it is not used there yet, and its callback comes at once."""
    for race in races(scene):
        answer, taken = at_once(race.apart(lambda: patiently(scene.redeem), lambda: _at_the_till(scene), behind=3), 2)
        coupon, there = settled(scene)
        kept = PartnerOrder.objects.filter(coupon=coupon).first()
        assert codes(scene.redeem()) == ({"already_redeemed": 1} if taken else {"200": 1})
        if taken:
            assert (coupon.redeemed_through, there["used_by"]) == ("till", "till")
            assert kept is None or kept.state == "lost"
            assert set(codes(answer)) <= {"already_redeemed", "202"}
        else:
            assert (coupon.redeemed_through, there["used_by"]) == ("api", "verify")
            assert answer.status_code in (200, 202)


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_till_and_an_order_whose_answer_is_lost_end_as_one(scene: Scene, at_once: AtOnce, fault: str) -> None:
    for race in races(scene):
        scene.dfire.fault(VERIFY, fault)
        answer, _taken = at_once(race.apart(lambda: patiently(scene.redeem), lambda: _at_the_till(scene), behind=3), 2)
        scene.dfire.behave()
        coupon, _there = settled(scene)
        ours = coupon.redeemed_through == "api"
        assert codes(scene.redeem()) == ({"200": 1} if ours else {"already_redeemed": 1})
        assert answer.status_code in ((200, 202) if ours else (202, 409))


def test_a_revoke_and_an_order_one_wins(scene: Scene, at_once: AtOnce) -> None:
    for race in races(scene):
        path = f"coupons/{scene.coupon.code}/revoke/"
        give_up = lambda path=path: patiently(lambda: scene.api.post(path, {"reason": "race"}))  # type: ignore[misc]  # noqa: E731
        redeem, revoke = at_once(race.apart(lambda: patiently(scene.redeem), give_up), 2)
        coupon, there = settled(scene)
        if coupon.status == "redeemed":
            assert redeem.status_code in (200, 202)
            assert set(codes(revoke)) <= {"redeeming", "already_redeemed"}
            assert there["used_by"] == "verify"
        else:
            assert (coupon.status, there["status"]) == ("revoked", "deleted")
            assert (revoke.status_code, set(codes(redeem))) == (200, {"revoked"})


def test_expiry_and_an_order_one_wins(scene: Scene, at_once: AtOnce) -> None:
    """Its last second ends while the order comes in."""
    for race in races(scene):
        over = timezone.now() - timedelta(seconds=1 - race.takes)
        IssuedCoupon.objects.filter(pk=scene.coupon.pk).update(valid_from=over, valid_until=over)
        expire = lambda: [lifecycle.expire_due() for _ in range(10)]  # noqa: E731
        redeem, _expired = at_once(race.apart(lambda: patiently(scene.redeem), expire), 2)
        time.sleep(max(0.0, (over + timedelta(seconds=1) - timezone.now()).total_seconds()))
        lifecycle.expire_due()
        coupon, _there = settled(scene)
        if redeem.status_code < 400:
            assert coupon.status == "redeemed"
        else:
            assert (coupon.status, set(codes(redeem))) == ("expired", {"expired"})


def test_a_transfer_and_an_order_one_wins(scene: Scene, at_once: AtOnce) -> None:
    friend = CustomerFactory(merchant=scene.coupon.merchant, identifier="friend", mobile="13900139000", openid="o-fr")
    for race in races(scene):
        path = f"coupons/{scene.coupon.code}/transfer/"
        hand_on = lambda path=path: patiently(lambda: scene.api.post(path, {"to_identifier": "friend"}))  # type: ignore[misc]  # noqa: E731
        redeem, give = at_once(race.apart(lambda: patiently(scene.redeem), hand_on), 2)
        coupon, there = settled(scene)
        if give.status_code == 202:
            assert (coupon.status, coupon.customer, there["openid"]) == ("issued", friend, "o-fr")
            assert set(codes(redeem)) == {"not_delivered"}
        else:
            assert (coupon.status, coupon.customer) == ("redeemed", scene.coupon.customer)
            assert set(codes(give)) <= {"redeeming", "already_redeemed"}


def _at_the_till(scene: Scene) -> bool:
    """A cashier scans it. Returns whether the till took it."""
    answer = scene.dfire._call("POST", "redeem", json={"code": scene.coupon.code, "notify": False})
    if answer["redeemed"]:
        till_says(scene.coupon)
    return bool(answer["redeemed"])
