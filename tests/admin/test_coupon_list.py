"""The list of issued coupons: found by whatever is at hand, narrowed by filters, never counted."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons import lifecycle
from coupons.admin.finding import digits_of, is_shortened, tidy
from coupons.choices import BatchKind, CouponStatus, Delivery
from coupons.models import Batch, IssuedCoupon
from merchants.clock import local_day
from merchants.models import Shop
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import list_of, page_of, said
from tests.factories import CustomerFactory, issued

LIST = list_of(IssuedCoupon)


def shown(client: Client, **asked: Any) -> list[int]:
    """The keys on the first page."""
    return [coupon.pk for coupon in client.get(LIST, asked).context["cl"].result_list]


def grouped(text: str, size: int, by: str) -> str:
    return by.join(text[start : start + size] for start in range(0, len(text), size))


@pytest.mark.parametrize(
    "paste",
    [
        lambda code: f"  {code}\r\n",
        lambda code: grouped(code, 4, " "),
        lambda code: grouped(code, 4, "-"),
        lambda code: grouped(code, 4, "\u00a0"),
        lambda code: f"'{code}",
        lambda code: f"\ufeff{code}\u200b",
        lambda code: "".join(chr(ord(digit) + 0xFEE0) for digit in code),  # full-width
    ],
)
def test_a_code_is_found_as_it_is_pasted(lili: Client, world: World, paste: Any) -> None:
    assert shown(lili, q=paste(world.coupon.code)) == [world.coupon.pk]


def test_a_column_of_codes_is_found_at_once(lili: Client, world: World) -> None:
    both = f"{world.coupon.code}\n{world.failed.code}\n"
    assert shown(lili, q=both) == [world.failed.pk, world.coupon.pk]
    assert shown(lili, q=f"{world.coupon.code} {world.other_coupon.code}") == [world.coupon.pk]


@pytest.mark.parametrize(
    "typed", ["139 1234 5678", "139-1234-5678", "+86 13912345678", "8613912345678", " 13912345678 "]
)
def test_a_mobile_is_found_however_it_is_written(lili: Client, world: World, typed: str) -> None:
    assert shown(lili, q=typed) == [world.coupon.pk]


def test_a_search_stays_within_the_users_merchants(lili: Client, root: Client, world: World) -> None:
    there = CustomerFactory(merchant=world.other, identifier="elsewhere", mobile=MOBILE, openid="o-elsewhere")
    coupon = issued(world.other_template, there)
    assert shown(lili, q=MOBILE) == [world.coupon.pk]
    assert shown(root, q=MOBILE) == [coupon.pk, world.coupon.pk]
    for term in (coupon.code, coupon.code[:12], "o-elsewhere", "elsewhere"):
        assert shown(lili, q=term) == []
        assert shown(root, q=term) == [coupon.pk]


def test_a_code_that_a_spreadsheet_has_shortened_is_told(lili: Client, world: World) -> None:
    response = lili.get(LIST, {"q": "6.21235E+15"})
    assert "A spreadsheet has shortened this code. Format its column as text." in said(response)
    assert not said(lili.get(LIST, {"q": "nobody"}))


@pytest.mark.parametrize("term", ["%", "_", "\\", "' OR 1=1 --", "1" * 5000, "１" * 40, "\u200b", "💥", "+", "86"])
def test_whatever_is_typed_the_list_opens(lili: Client, world: World, term: str) -> None:
    assert lili.get(LIST, {"q": term}).status_code == 200


def test_filters_narrow_to_what_they_say(lili: Client, world: World) -> None:
    shop = Shop.objects.get(name="西湖店")
    redeem(world.coupon, shop)
    assert shown(lili, status__exact="redeemed") == [world.coupon.pk]
    assert shown(lili, delivery__exact="failed") == [world.failed.pk]
    assert len(shown(lili, source__exact="staff")) == 2
    assert shown(lili, source__exact="push") == []
    assert shown(lili, redeemed_shop__id__exact=shop.pk) == [world.coupon.pk]
    today = str(timezone.localdate())
    assert shown(lili, redeemed_at_from=today, redeemed_at_to=today) == [world.coupon.pk]
    assert shown(lili, redeemed_at_to="2020-01-01") == []
    last = str(local_day(world.coupon.valid_until))
    assert len(shown(lili, valid_until_from=last, valid_until_to=last)) == 2
    assert shown(lili, valid_until_to=today) == []
    assert shown(lili, template__id__exact=world.other_template.pk) == []


def test_who_waits_for_a_binding_stands_in_the_order_of_the_ends(lili: Client, world: World) -> None:
    nobody = CustomerFactory(merchant=world.own, openid="")
    now = timezone.now()
    later, sooner, far = (
        issued(world.template, nobody, valid_until=now + timedelta(days=days)) for days in (2.5, 0.5, 20)
    )
    over = issued(world.template, nobody)
    IssuedCoupon.objects.filter(pk=over.pk).update(valid_from=now - timedelta(days=9), valid_until=now - timedelta(1))
    assert set(IssuedCoupon.objects.filter(delivery=Delivery.WAITING)) == {later, sooner, far, over}
    assert shown(lili, waits="1") == [sooner.pk]
    assert shown(lili, waits="3") == [sooner.pk, later.pk]
    assert shown(lili, waits="any") == [sooner.pk, later.pk, far.pk]


def test_the_coupons_of_a_batch(lili: Client, world: World) -> None:
    own, other = (
        Batch.objects.create(kind=BatchKind.ISSUE, merchant=template.merchant, template=template, name=name)
        for template, name in ((world.template, "双十一"), (world.other_template, "别家批次"))
    )
    IssuedCoupon.objects.filter(pk=world.coupon.pk).update(batch=own)
    IssuedCoupon.objects.filter(pk=world.other_coupon.pk).update(batch=other)
    assert shown(lili, batch__id__exact=own.pk) == [world.coupon.pk]
    assert shown(lili, batch__id__exact=other.pk) == []
    html = lili.get(LIST).content.decode()
    assert "双十一" in html
    assert "别家批次" not in html
    assert len(shown(lili, batch__id__exact="x")) == 2


def test_the_list_is_neither_counted_nor_sorted_nor_passed_over_without_end(lili: Client, world: World) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        lili.get(LIST, {"o": "1.-4", "merchant__id__exact": world.own.pk})
    about = [query["sql"] for query in asked.captured_queries if 'FROM "coupons_issuedcoupon"' in query["sql"]]
    assert about
    assert not [sql for sql in about if "COUNT(" in sql]
    assert all(sql.split("ORDER BY ")[1].startswith('"coupons_issuedcoupon"."id" DESC') for sql in about)
    assert lili.get(LIST, {"p": 201}).status_code == 302  # so many rows are not passed over: filters lead there


def test_rows_show_badges_and_where_it_was_redeemed(lili: Client, world: World) -> None:
    redeem(world.coupon, Shop.objects.get(name="西湖店"))
    html = lili.get(LIST).content.decode()
    assert "西湖店" in html
    assert "139****5678" in html
    assert MOBILE not in html
    for words in ("redeemed", "failed", "issued"):
        assert f">{words}<" in "".join(html.split()), words


def test_it_takes_no_query_more_for_more_rows(lili: Client, world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert lili.get(LIST).status_code == 200
        return len(asked)

    queries()
    before = queries()
    for _ in range(5):
        redeem(issued(world.template), Shop.objects.get(name="西湖店"))
    assert queries() == before


def test_another_merchants_coupon_is_not_there(lili: Client, staff: User, world: World) -> None:
    assert lili.get(page_of(world.other_coupon)).status_code in (302, 404)
    assert world.other_coupon.code not in lili.get(page_of(world.other_coupon), follow=True).content.decode()
    assert world.other_coupon.pk not in shown(lili)


def test_what_is_pasted_is_read() -> None:
    assert tidy("\ufeff　６２１２ \r\n") == "6212"
    assert digits_of("6212-3456.7890") == "621234567890"
    assert digits_of("o3Pm6-12") == digits_of("") == digits_of("١٢٣") == ""
    assert is_shortened("6.21E+15")
    assert not is_shortened("o3Pm6E+1x")


def redeem(coupon: IssuedCoupon, shop: Shop) -> None:
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now(), shop=shop)
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED
