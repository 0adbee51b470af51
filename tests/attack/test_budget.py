"""There are as many inputs as are promised, and the look at the database sees what it should."""

import pytest

from coupons.models import CouponTemplate
from tests.attack import budget, test_callbacks, test_calls, test_headers, test_pushes
from tests.attack.state import State, changed, is_one_of, look, tables
from tests.attack.world import World, disagreeing

ATTACKS = (test_callbacks, test_calls, test_headers, test_pushes)


def test_there_are_at_least_as_many_inputs_as_promised() -> None:
    assert ATTACKS
    assert budget.SHARES.total() >= budget.CI_INPUTS == 20_000


@pytest.mark.django_db
def test_the_look_sees_every_change_in_every_table(world: World, before: State) -> None:
    assert look() == before
    assert set(before) == set(tables())
    CouponTemplate.objects.filter(pk=world.free.pk).update(notice="changed")
    assert changed(before, look()) == {"coupons_coupontemplate": 0}
    CouponTemplate.objects.filter(pk=world.free.pk).update(issued_count=0)
    assert disagreeing() == [world.free.coupon_id]


@pytest.mark.parametrize(
    ("found", "expected", "fits"),
    [
        ({}, {}, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1, "b": 1}, {"a": 1}, False),
        ({}, {"a": 1}, False),
        ({}, {"a": (0, 1)}, True),
        ({}, {"a": 0}, False),  # a table whose rows must have changed
        ({"a": 0}, {"a": 0}, True),
        ({"a": 2}, {"a": (0, 1)}, False),
    ],
)
def test_what_is_expected_is_compared_exactly(found: dict[str, int], expected: dict[str, int], fits: bool) -> None:
    assert is_one_of(found, expected) == fits
