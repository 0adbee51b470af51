"""Settlement adds up what was redeemed; each of its numbers leads to exactly the coupons that it counts."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode
from openpyxl import load_workbook

from coupons import figures, lifecycle
from coupons.models import CouponTemplate, IssuedCoupon
from coupons.settlement import Grouping, Sums, budgets, lines, total
from merchants.clock import SHANGHAI, day_start, local_day
from merchants.models import Merchant, MerchantScope, Shop
from tests.admin.conftest import World
from tests.factories import MerchantFactory, ShopFactory, issued, published

PAGE, BUDGETS = "/admin/settlement/", "/admin/settlement/budgets/"
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
MARCH = {"first": "2026-03-01", "last": "2026-03-31"}
GROUPINGS = [grouping.value for grouping in Grouping]


def at(text: str) -> datetime:
    """A moment of March in Shanghai."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=SHANGHAI)


def redeemed(template: CouponTemplate, when: datetime, shop: Shop | None = None, **amounts: int) -> IssuedCoupon:
    """A coupon that was redeemed then and there."""
    coupon = issued(template)
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=when, shop=shop)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(**amounts)
    return coupon


@pytest.fixture
def march(world: World) -> World:
    """Redemptions of the own merchant in two shops and in none, on both sides of midnight, and one of the other's."""
    west = Shop.objects.get(merchant=world.own)
    east = ShopFactory(merchant=world.own, name="东门店", entity_id="10000002")
    redeemed(world.template, at("01T00:00:00"), west, saved_fen=900, paid_fen=4100)
    redeemed(world.template, at("01T23:59:59.999999"), west)
    redeemed(world.template, at("02T00:00:00"), west, saved_fen=1000)
    redeemed(world.template, at("02T12:00:00"), east, saved_fen=1000, paid_fen=5000)
    redeemed(world.template, at("31T23:59:59"))
    redeemed(world.template, at("01T00:00:00") - timedelta(microseconds=1), west)  # February
    redeemed(world.template, day_start(date(2026, 4, 1)), west)
    redeemed(world.other_template, at("02T12:00:00"), Shop.objects.get(merchant=world.other), saved_fen=700)
    figures.merge()
    redeemed(world.template, at("31T12:00:00"))  # a difference that has not been merged yet
    return world


def file_of(client: Client, page: str = PAGE, **query: Any) -> list[dict[str, str]]:
    response = client.get(f"{page}?{urlencode({**MARCH, 'format': 'csv', **query}, doseq=True)}")
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


def test_the_total_of_a_file_is_that_of_its_lines_while_coupons_are_redeemed(lili: Client, march: World) -> None:
    file = lili.get(PAGE, MARCH | {"format": "csv"})
    redeemed(march.template, at("03T12:00:00"), saved_fen=100)
    figures.merge()
    *rows, last = csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline=""))
    for heading in ("Coupons redeemed", "Saved (yuan)", "Saved is known for"):
        assert float(last[heading]) == sum(float(row[heading] or 0) for row in rows)


def test_lines_are_by_shop_and_day_with_amounts_where_known(lili: Client, march: World) -> None:
    found = [tuple(row.values())[1:] for row in file_of(lili)]
    assert found == [
        ("2026-03-01", "西湖店", "2", "9.00", "1", "41.00", "1"),
        ("2026-03-02", "东门店", "1", "10.00", "1", "50.00", "1"),
        ("2026-03-02", "西湖店", "1", "10.00", "1", "", "0"),
        ("2026-03-31", "shop not told", "2", "", "0", "", "0"),
        ("", "", "6", "29.00", "3", "91.00", "2"),
    ]


def test_lines_by_shop_and_by_day(lili: Client, march: World) -> None:
    by_shop = [(row["Shop"], row["Coupons redeemed"]) for row in file_of(lili, by="shop")]
    assert by_shop == [("东门店", "1"), ("西湖店", "3"), ("shop not told", "2"), ("", "6")]
    by_day = [(row["Day"], row["Coupons redeemed"]) for row in file_of(lili, by="day")]
    assert by_day == [("2026-03-01", "2"), ("2026-03-02", "2"), ("2026-03-31", "2"), ("", "6")]


@pytest.mark.parametrize("by", GROUPINGS)
def test_every_line_and_the_total_lead_to_exactly_the_coupons_they_count(
    root: Client, lili: Client, march: World, by: str
) -> None:
    for client, whole in ((lili, 6), (root, 7)):
        html = client.get(f"{PAGE}?{urlencode({**MARCH, 'by': by})}").content.decode()
        links = re.findall(r'href="(/admin/coupons/issuedcoupon/\?[^"]+)" class="text-link">(\d+)<', html)
        assert sum(int(count) for _link, count in links) == whole
        total_link = re.search(r'href="(/admin/coupons/issuedcoupon/\?[^"]+)" class="bg-white', html)
        assert total_link is not None
        for link, count in [*links, (total_link[1], str(whole))]:
            address, query = unescape(link).split("?")
            coupons = client.get(f"{address}export-csv/?{query}").getvalue().decode().splitlines()[1:]
            assert len(coupons) == int(count), link
            assert client.get(unescape(link)).content.decode().count('name="_selected_action"') == int(count)


@pytest.mark.parametrize("by", Grouping)
def test_lines_add_up_to_the_total_and_agree_with_the_coupons(march: World, by: Grouping) -> None:
    everybody = Merchant.objects.all()
    whole = total(everybody, FIRST, LAST)
    found = [Sums.of(row) for row in lines(everybody, FIRST, LAST, by)]
    assert sum(line.redeemed for line in found) == whole.redeemed
    assert sum(line.saved_fen for line in found) == whole.saved_fen
    coupons = IssuedCoupon.objects.filter(
        redeemed_at__gte=day_start(FIRST), redeemed_at__lt=day_start(LAST + timedelta(1))
    )
    assert whole == Sums(
        redeemed=coupons.count(),
        saved_fen=sum(coupon.saved_fen or 0 for coupon in coupons),
        saved_known=coupons.exclude(saved_fen=None).count(),
        paid_fen=sum(coupon.paid_fen or 0 for coupon in coupons),
        paid_known=coupons.exclude(paid_fen=None).count(),
    )


def test_a_shop_that_is_removed_leaves_its_redemptions_untold(lili: Client, march: World) -> None:
    Shop.objects.filter(name="东门店").delete()
    by_shop = [(row["Shop"], row["Coupons redeemed"]) for row in file_of(lili, by="shop")]
    assert by_shop == [("西湖店", "3"), ("shop not told", "3"), ("", "6")]


def test_another_merchants_redemptions_are_nowhere(lili: Client, march: World) -> None:
    for page in (PAGE, BUDGETS):
        for query in (MARCH, {**MARCH, "merchants": march.other.pk}, {**MARCH, "merchants": [march.other.pk]}):
            html = lili.get(f"{page}?{urlencode(query, doseq=True)}").content.decode()
            assert "别家" not in html
    assert [row["Merchant"] for row in file_of(lili, by="shop", merchants=march.other.pk)][:-1] == ["自家火锅"] * 3


def test_a_choice_among_several_merchants_does_not_reach_beyond_them(lili: Client, staff: User, march: World) -> None:
    second: Merchant = MerchantFactory(name="自家小馆")
    MerchantScope.objects.get(user=staff).merchants.add(second)
    redeemed(published(merchant=second), at("05T12:00:00"))
    assert [row["Merchant"] for row in file_of(lili, by="day", merchants=second.pk)] == ["自家小馆", "Total"]
    assert len(file_of(lili, by="day")) == 5
    html = lili.get(f"{PAGE}?{urlencode({**MARCH, 'merchants': march.other.pk})}").content.decode()
    assert "Select a valid choice" in html
    assert "Coupons redeemed" not in html


def test_this_month_is_what_is_shown_first(lili: Client, world: World) -> None:
    redeemed(world.template, timezone.now())
    html = lili.get(PAGE).content.decode()
    today = local_day(timezone.now())
    assert f'value="{today.replace(day=1)}"' in html
    assert today.isoformat() in html


def test_days_without_redemptions_say_what_to_do(lili: Client, world: World) -> None:
    html = lili.get(f"{PAGE}?first=2020-01-01&last=2020-01-02").content.decode()
    assert "No coupon was redeemed in these days" in html
    assert "No template has a budget" in lili.get(BUDGETS).content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"first": "2026-03-05", "last": "2026-03-01"}, "before the first day"),
        ({"first": "2024-03-05", "last": "2026-03-01"}, "At most 366 days"),
        ({"first": "yesterday", "last": "2026-03-01"}, "Enter a valid date"),
        ({"by": "weather"}, "Select a valid choice"),
        ({"first": ""}, "required"),
    ],
)
def test_what_is_no_period_is_said_and_kept(lili: Client, world: World, query: dict[str, str], words: str) -> None:
    for extra in ({}, {"format": "csv"}):
        response = lili.get(f"{PAGE}?{urlencode({**MARCH, **query, **extra})}")
        assert response.status_code == 200
        assert words in response.content.decode()
        assert all(f'value="{value}"' in response.content.decode() for value in query.values() if value[:1] == "2")


def test_only_those_who_may_see_coupons_may_settle(browser: Callable[..., Client], world: World) -> None:
    user = User.objects.create_user("nobody", is_staff=True)
    client = browser(user)
    for page in (PAGE, BUDGETS):
        assert client.get(page).status_code == 403
        assert client.get(f"{page}?format=xlsx").status_code == 403
        assert Client().get(page).status_code == 302
    user.user_permissions.add(Permission.objects.get(codename="view_issuedcoupon"))
    assert PAGE in client.get("/admin/").content.decode()
    assert (client.get(PAGE).status_code, client.get(BUDGETS).status_code) == (200, 403)


def test_budgets_are_promised_spent_and_left(lili: Client, world: World) -> None:
    template = published(merchant=world.own, title="有预算的", budget_fen=5000)
    published(merchant=world.other, title="别家有预算的", budget_fen=9000)
    coupons = [issued(template) for _one in range(4)]
    for coupon, amounts in zip(coupons, ({"saved_fen": 850}, {}), strict=False):
        with transaction.atomic():
            lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now())
        IssuedCoupon.objects.filter(pk=coupon.pk).update(**amounts)
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupons[3].pk])[0], reason="x", actor="staff:test")
    (row,) = file_of(lili, BUDGETS)
    assert row["Template"] == "有预算的"
    money = [row[name] for name in ("Budget (yuan)", "Promised (yuan)", "Spent (yuan)", "Left in the budget (yuan)")]
    assert money == ["50.00", "30.00", "18.50", "20.00"]
    html = lili.get(BUDGETS).content.decode()
    assert all(f"¥{value}" in html for value in money)
    assert "¥30.00 · 60%" in html
    assert [found.pk for found in budgets(Merchant.objects.filter(pk=world.own.pk))] == [template.pk]


def test_settlement_as_xlsx_has_money_and_dates(lili: Client, march: World) -> None:
    content = lili.get(f"{PAGE}?{urlencode({**MARCH, 'format': 'xlsx'})}").getvalue()
    second = list(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(min_row=2, max_row=2, values_only=True))
    assert second == [("自家火锅", datetime(2026, 3, 1), "西湖店", 2, 9, 1, 41, 1)]  # noqa: DTZ001


def test_many_lines_come_in_pages_and_whole_in_the_file(
    lili: Client, march: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coupons.admin.settlement._A_PAGE", 2)
    html = lili.get(f"{PAGE}?{urlencode(MARCH)}").content.decode()
    assert "Page 1 of 2" in html
    assert "4 lines" in html
    assert "first=2026-03-01&amp;last=2026-03-31" in html
    assert "shop not told" in lili.get(f"{PAGE}?{urlencode({**MARCH, 'p': 2})}").content.decode()
    assert len(file_of(lili)) == 5


def test_figures_are_asked_and_never_the_coupons(
    root: Client, march: World, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(20) as asked:
        root.get(f"{PAGE}?{urlencode(MARCH)}")
    assert not [query for query in asked.captured_queries if 'FROM "coupons_issuedcoupon"' in query["sql"]]
