"""A guard against slow lists: what a page reads of the coupons is bounded by what it shows, however many there are.

Rows are counted and not times. The member of staff sees one merchant, which has few of all coupons and none lately.
"""

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from coupons.models import IssuedCoupon
from merchants.clock import local_day
from tests.admin.conftest import World
from tests.admin.pages import list_of
from tests.factories import published
from tests.many import give_many
from tests.plans import rows_read

LIST = list_of(IssuedCoupon)
SHOWN, MERCHANTS = 51, 2
PAGES = {
    "the first": "",
    "amid the list": "after={middle}",
    "back from there": "before={middle}",
    "a code": "q={code}",
    "the beginning of a code": "q={begin}",
    "a mobile": "q={mobile}",
    "a status": "status__exact=expired",
    "a status, amid the list": "status__exact=expired&after={middle}",
    "a status that none has": "status__exact=revoked",
    "a merchant": "merchant__id__exact={merchant}",
    "a merchant's with a status": "merchant__id__exact={merchant}&status__exact=expired",
    "days of issue": "issued_at_from={first}&issued_at_to={last}",
    "days of issue, amid the list": "issued_at_from={first}&issued_at_to={last}&after={middle}",
    "a merchant's days of issue": "merchant__id__exact={merchant}&issued_at_from={first}&issued_at_to={last}",
    "days of redemption": "redeemed_at_from={first}&redeemed_at_to={last}",
    "what waits": "waits=any",
}  # fmt: skip


@pytest.fixture
def words(world: World) -> dict[str, object]:
    """What addresses are filled with, of the member's merchant."""
    give_many(published(merchant=world.own), 2000)
    give_many(world.other_template, 18_000)
    mine = IssuedCoupon.objects.filter(merchant=world.own).order_by("-pk")
    coupon = mine[1000]
    day = local_day(coupon.issued_at)
    return {
        "middle": coupon.pk, "code": coupon.code, "begin": coupon.code[:14], "mobile": coupon.customer.mobile,
        "merchant": world.own.pk, "first": day - timedelta(days=60), "last": day + timedelta(days=60),
    }  # fmt: skip


def test_lists_of_coupons_read_no_more_than_they_show(lili: Client, root: Client, words: dict[str, object]) -> None:
    read = {
        f"{who}: {title}": rows_read(partial(client.get, f"{LIST}?{asked.format(**words)}"), IssuedCoupon)
        for who, client in (("lili", lili), ("root", root))
        for title, asked in PAGES.items()
    }
    least = {title: number for title, number in read.items() if not number and "none has" not in title}
    assert not least, "nothing was read: the guard looks at nothing"
    # Of each merchant a page's keys and the page's rows, by both of which are some that the page does not show.
    assert {title: number for title, number in read.items() if number > (MERCHANTS + 2) * SHOWN} == {}


def test_the_guard_sees_what_it_is_for(root: Client, words: dict[str, object]) -> None:
    far = rows_read(lambda: list(IssuedCoupon.objects.filter(version__number=1, flag="no")[:SHOWN]), IssuedCoupon)
    assert far > 18_000
