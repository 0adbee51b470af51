"""The campaign's comparison sees what is lost, doubled or in disagreement: each is planted here and counted."""

from typing import Any

import pytest
from django.utils import timezone

from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from tests.chaos.ledgers import Verdict, compare, unsettled
from tests.chaos.promises import Promises
from tests.factories import CustomerFactory, issued, published

pytestmark = pytest.mark.django_db
NO_DOUBLES = {"delivered_twice": 0, "used_twice": 0}


class World:
    """One coupon on which all three ledgers agree, to be spoilt by the tests."""

    def __init__(self) -> None:
        self.promises = Promises()
        self.there: list[dict[str, Any]] = []
        self.totals = dict(NO_DOUBLES)
        self.template = published()
        self.coupon = self.delivered()
        OutboxRow.objects.all().delete()

    def delivered(self) -> IssuedCoupon:
        """One more coupon that everybody knows of."""
        coupon = issued(self.template, CustomerFactory(merchant=self.template.merchant))
        holder = coupon.customer
        self.promises.bound(holder.openid, holder.identifier)
        self.promises.given(coupon.code, holder.identifier)
        self.there.append({"code": coupon.code, "status": "held", "openid": holder.openid})
        self.say(coupon, delivery=Delivery.DELIVERED, delivered_openid=holder.openid, delivered_at=timezone.now())
        return coupon

    def say(self, coupon: IssuedCoupon, **facts: Any) -> None:
        """Our ledger says so, whatever is true."""
        IssuedCoupon.objects.filter(pk=coupon.pk).update(**facts)

    def verdict(self) -> Verdict:
        """What the comparison finds."""
        return compare(self.promises, self.there, self.totals)

    def counts(self) -> tuple[int, int, int]:
        """Lost, doubled, in disagreement."""
        found = self.verdict()
        return len(found.lost), len(found.doubled), len(found.disagreeing)


@pytest.fixture
def world() -> World:
    return World()


def test_three_ledgers_that_agree_are_clean(world: World) -> None:
    assert world.verdict().clean


def test_a_code_that_was_promised_and_is_not_here_is_lost(world: World) -> None:
    world.promises.given("9" * 16, "somebody")
    assert world.counts() == (1, 0, 0)


def test_a_redemption_at_the_till_that_did_not_arrive_is_lost(world: World) -> None:
    world.promises.told(world.promises.redeemed, world.coupon.code)
    world.there[0]["status"] = "used"
    assert world.counts() == (1, 0, 1)


def test_a_revoke_that_was_accepted_and_forgotten_is_lost(world: World) -> None:
    world.promises.told(world.promises.revoked, world.coupon.code)
    assert world.counts() == (1, 0, 0)


def test_a_revoke_that_a_till_overtook_is_not_lost(world: World) -> None:
    world.promises.told(world.promises.revoked, world.coupon.code)
    world.promises.told(world.promises.redeemed, world.coupon.code)
    world.there[0]["status"] = "used"
    world.say(world.coupon, status=CouponStatus.REDEEMED, redeemed_at=timezone.now(), redeemed_through="till")
    assert world.verdict().clean


def test_a_coupon_that_nobody_was_told_of_is_doubled(world: World) -> None:
    del world.promises.holders[world.coupon.code]
    assert world.counts() == (0, 1, 0)


def test_a_customer_whose_issue_was_not_answered_may_have_one_and_not_two(world: World) -> None:
    second = world.delivered()
    world.say(second, customer=world.coupon.customer, delivered_openid=world.coupon.customer.openid)
    world.there[1]["openid"] = world.coupon.customer.openid
    for coupon in (world.coupon, second):
        del world.promises.holders[coupon.code]
    world.promises.unanswered.add(world.coupon.customer.identifier)
    assert world.counts() == (0, 1, 0)


def test_a_code_given_to_two_callers_is_doubled(world: World) -> None:
    world.promises.given(world.coupon.code, world.coupon.customer.identifier)
    assert world.counts() == (0, 1, 0)


def test_a_coupon_that_only_dfire_has_is_doubled(world: World) -> None:
    world.there.append({"code": "9" * 16, "status": "held", "openid": "o"})
    assert world.counts() == (0, 1, 0)


def test_a_coupon_with_two_holders_at_dfire_is_doubled(world: World) -> None:
    world.there.append(dict(world.there[0]))
    assert world.counts() == (0, 1, 0)


@pytest.mark.parametrize("what", ["delivered_twice", "used_twice"])
def test_what_dfire_counted_twice_is_doubled(world: World, what: str) -> None:
    world.totals[what] = 1
    assert world.counts() == (0, 1, 0)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({}, "used"),
        ({}, "deleted"),
        ({"status": CouponStatus.REVOKED, "ended_at": timezone.now()}, "held"),
        ({"status": CouponStatus.EXPIRED, "ended_at": timezone.now()}, "held"),
        ({"status": CouponStatus.REDEEMED, "redeemed_at": timezone.now(), "redeemed_through": "till"}, "held"),
        ({"delivery": Delivery.QUEUED}, "held"),
        ({"delivery": Delivery.WAITING}, "deleted"),
        ({"delivery": Delivery.FAILED}, "deleted"),
        ({"flag": "vanished_at_dfire"}, "held"),
    ],
)
def test_states_that_differ_are_in_disagreement(world: World, here: dict[str, Any], there: str) -> None:
    world.say(world.coupon, **here)
    world.there[0]["status"] = there
    assert world.counts() == (0, 0, 1)


def test_a_delivered_coupon_that_dfire_does_not_have_is_in_disagreement(world: World) -> None:
    world.there.clear()
    assert world.counts() == (0, 0, 1)


def test_another_holder_at_dfire_is_in_disagreement(world: World) -> None:
    other = CustomerFactory(merchant=world.template.merchant)
    world.promises.bound(other.openid, other.identifier)
    world.there[0]["openid"] = other.openid
    assert world.counts() == (0, 0, 1)


def test_another_holder_of_a_redeemed_coupon_is_in_disagreement(world: World) -> None:
    world.say(world.coupon, status=CouponStatus.REDEEMED, redeemed_at=timezone.now(), redeemed_through="till")
    world.say(world.coupon, customer=CustomerFactory(merchant=world.template.merchant))
    world.there[0]["status"] = "used"
    assert world.counts() == (0, 0, 1)


def test_another_openid_of_the_same_holder_at_dfire_is_in_disagreement(world: World) -> None:
    world.promises.bound("another-phone", world.coupon.customer.identifier)
    world.there[0]["openid"] = "another-phone"
    assert world.counts() == (0, 0, 1)


def test_an_accepted_transfer_that_did_not_happen_is_in_disagreement(world: World) -> None:
    world.promises.may_hold(world.coupon.code, {"receiver"})
    assert world.counts() == (0, 0, 1)


def test_a_transfer_that_was_never_answered_may_have_happened_or_not(world: World) -> None:
    world.promises.may_hold(world.coupon.code, {"receiver", world.coupon.customer.identifier})
    assert world.verdict().clean


def test_a_row_that_was_given_up_is_in_disagreement(world: World) -> None:
    _row(world, RowState.DEAD)
    assert world.counts() == (0, 0, 1)


@pytest.mark.parametrize("state", [RowState.QUEUED, RowState.WAITING])
def test_it_is_not_quiet_while_a_row_is_unsettled(world: World, state: RowState) -> None:
    assert not any(unsettled().values())
    _row(world, state)
    assert unsettled()["outbox rows"] == 1


def _row(world: World, state: RowState) -> None:
    OutboxRow.objects.create(
        kind=RowKind.WITHDRAW,
        priority=1,
        state=state,
        account=world.template.merchant.dfire_account,
        merchant=world.template.merchant,
        coupon=world.coupon,
        available_at=timezone.now(),
    )
