"""The numbers of the first page are those of the lists that they lead to, for the merchants and days one chooses."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from merchants.clock import day_end, day_start, local_day
from tests.admin.conftest import World
from tests.factories import CustomerFactory, MerchantFactory, issued, published


def shown(client: Client, query: str = "") -> Any:
    response = client.get(f"/admin/{query}")
    assert response.status_code == 200
    return response.context


def cards(client: Client, query: str = "") -> dict[str, str]:
    return {str(card["title"]): card["text"] for card in shown(client, query)["figures"]["cards"]}


def redeem(coupon: IssuedCoupon, **told: Any) -> None:
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], **{"at": timezone.now(), **told})


def waiting(template: CouponTemplate, days: int) -> IssuedCoupon:
    """A coupon whose customer has no openid, and which runs out after so many days."""
    coupon = issued(template, CustomerFactory(merchant=template.merchant, openid=""))
    IssuedCoupon.objects.filter(pk=coupon.pk).update(
        delivery=Delivery.WAITING, valid_until=day_end(local_day(timezone.now()) + timedelta(days=days))
    )
    OutboxRow.objects.filter(coupon=coupon).update(state="waiting")
    return coupon


@pytest.fixture
def fates(world: World) -> World:
    """At both merchants: redeemed with and without a bill, revoked, expired, waiting, and some of other days."""
    for template in (world.template, world.other_template):
        told, silent, revoked, expired, old, before = (issued(template) for _ in range(6))
        redeem(told, saved_fen=1000, paid_fen=12_345)
        redeem(silent)
        redeem(old)
        with transaction.atomic():
            lifecycle.revoke(lifecycle.lock([revoked.pk])[0], reason="x", actor="staff:test")
        now = timezone.now()
        IssuedCoupon.objects.filter(pk=expired.pk).update(valid_from=now, valid_until=now - timedelta(seconds=0))
        lifecycle.expire_due()
        midnight = day_start(local_day(now))
        IssuedCoupon.objects.filter(pk=old.pk).update(issued_at=midnight - timedelta(days=20))
        IssuedCoupon.objects.filter(pk=before.pk).update(issued_at=midnight - timedelta(microseconds=1))
        for days in (0, 2, 3, 6, 7):
            waiting(template, days)
        CouponTemplate.objects.filter(pk=template.pk).update(stock=20, issued_count=18)
    return world


def numbers(page: Any) -> Iterator[tuple[str, str, str]]:
    """Every number of the page that leads to a list: its words, the number, the list."""
    for card in page["figures"]["cards"]:
        if "link" in card:
            yield str(card["title"]), card["text"], card["link"]
    for step in (*page["figures"]["funnel"]["steps"], *page["figures"]["funnel"]["ends"]):
        yield f"funnel: {step['title']}", step["count"], step["link"]
    for line in (*page["waiting"], *page["sync"]["lines"], page["inbox"]):
        yield str(line.title), line.text, line.link
    yield "limits", str(page["limits"]["count"]), page["limits"]["link"]


@pytest.mark.parametrize("who", ["root", "lili"])
@pytest.mark.parametrize("period", ["today", "yesterday", "7d", "30d", "last_month"])
def test_every_number_leads_to_exactly_the_rows_it_counts(
    request: pytest.FixtureRequest, fates: World, who: str, period: str
) -> None:
    client = request.getfixturevalue(who)
    for query in (f"?period={period}", f"?period={period}&merchant={fates.own.pk}"):
        found = list(numbers(shown(client, query)))
        assert len(found) == 15
        for words, number, link in found:
            assert len(client.get(link).context["cl"].result_list) == int(number), (words, query, link)


def test_the_numbers_are_what_happened(fates: World, lili: Client, root: Client) -> None:
    page = shown(lili, "?period=today")
    assert cards(lili, "?period=today") == {
        "Issued": "11", "Redeemed": "3", "Redemption rate": "18%",
        "Customers saved": "¥10", "Customers paid": "¥123.45",
    }  # fmt: skip
    below = [str(card["below"]) for card in page["figures"]["cards"]]
    assert below[2:] == ["2 of 11 issued are redeemed by now", *["known for 1 of 3 redemptions"] * 2]
    assert [line.count for line in page["waiting"]] == [2, 4, 5]
    assert [line.count for line in page["sync"]["lines"]][1:] == [5, 1]
    assert cards(root, "?period=today")["Redeemed"] == "6"


def test_the_chart_holds_the_days_and_their_sums(fates: World, lili: Client) -> None:
    chart = json.loads(shown(lili, "?period=30d")["figures"]["chart"]["data"])
    issued_then, redeemed_then = (series["data"] for series in chart["datasets"])
    assert (len(chart["labels"]), sum(issued_then), sum(redeemed_then)) == (30, 13, 3)
    assert (issued_then[-1], issued_then[-2], issued_then[-21]) == (11, 1, 1)
    one_day = shown(lili, "?period=today")["figures"]["chart"]
    assert len(json.loads(one_day["data"])["labels"]) == 7


def test_the_best_templates_are_the_own_merchants(fates: World, lili: Client, root: Client) -> None:
    rows = shown(lili)["figures"]["top"]["rows"]
    assert [row["numbers"] for row in rows] == [["3", "12", "17%"]]
    html = lili.get("/admin/").content.decode()
    assert "别家" not in html
    assert "别家的券" in root.get("/admin/").content.decode()


def test_days_of_ones_own_stay_in_the_address(fates: World, lili: Client, root: Client) -> None:
    today = local_day(timezone.now())
    days = f"?period=own&from={today - timedelta(days=20)}&to={today - timedelta(days=20)}"
    assert cards(lili, days)["Issued"] == "1"
    html = root.get(f"/admin/{days}&merchant={fates.own.pk}").content.decode()
    assert f'name="from" value="{today - timedelta(days=20)}"' in html
    assert f'<option value="{fates.own.pk}" selected>' in html
    assert f"?period=30d&amp;merchant={fates.own.pk}" in html


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("from=2026-02-30&to=2026-03-01", "Enter the first and the last day"),
        ("from=&to=", "Enter the first and the last day"),
        ("to=2026-03-01", "Enter the first and the last day"),
        ("from=2026-03-02&to=2026-03-01", "lies before the first"),
        ("from=1026-03-02&to=2026-03-01", "at most three years"),
        ("from=0001-01-01&to=2026-03-01", "at most three years"),
        ("from=9999-12-31&to=9999-12-31", "up to today"),
        ("from=%3Cscript%3E&to=x", "Enter the first and the last day"),
    ],
)
def test_days_that_cannot_be_are_said_to_be_so(lili: Client, days: str, words: str) -> None:
    html = lili.get(f"/admin/?period=own&{days}").content.decode()
    assert words in html
    assert "<script>x" not in html


@pytest.mark.parametrize("merchant", ["other", "0", "x", "-1", "99999999999999999999", "%00"])
def test_another_merchant_is_not_there(lili: Client, world: World, merchant: str) -> None:
    chosen = world.other.pk if merchant == "other" else merchant
    assert lili.get(f"/admin/?merchant={chosen}").status_code == 404


def test_a_period_nobody_knows_is_the_usual_one(lili: Client, world: World) -> None:
    assert cards(lili, "?period=century") == cards(lili, "?period=7d")


def test_without_coupons_in_these_days_it_says_what_to_do(lili: Client, world: World) -> None:
    html = lili.get("/admin/?period=last_month").content.decode()
    assert "Nothing was issued or redeemed in these days" in html
    assert cards(lili, "?period=last_month") == {
        "Issued": "0", "Redeemed": "0", "Redemption rate": "–", "Customers saved": "–", "Customers paid": "–",
    }  # fmt: skip


def test_each_part_is_for_those_who_may_see_its_rows(world: World, browser: Any) -> None:
    user = User.objects.create_user("narrow", is_staff=True)
    world.own.scopes.create(user=user)
    page = shown(browser(user))
    assert page["nothing"]
    for codename, part in [
        ("view_issuedcoupon", "figures"), ("view_outboxrow", "sync"), ("view_coupontemplate", "limits"),
    ]:  # fmt: skip
        assert not page[part]
        user.user_permissions.add(Permission.objects.get(codename=codename))
        page = shown(browser(User.objects.get(pk=user.pk)))
        assert page[part] is not None
        assert not page["nothing"]
    assert page["figures"]["top"]["rows"]


def test_whoever_has_no_merchant_sees_no_number(world: World, browser: Any) -> None:
    user = User.objects.create_user("scopeless", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["coupons", "integrations"]))
    page = shown(browser(user))
    assert not page["figures"]
    assert not page["waiting"]
    assert not page["sync"]


def test_the_page_asks_nobody_else(root: Client, fates: World, settings: Any) -> None:
    html = root.get("/admin/").content.decode()
    assert 'src="http' not in html
    assert 'href="http' not in html
    assert "chart/chart.js" in html


def test_more_than_can_be_counted_at_once_is_said_to_be_more(lili: Client, fates: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("config.dashboard.numbers.MOST_COUNTED", 3)
    assert [line.text for line in shown(lili)["waiting"]] == ["2", "3+", "3+"]


def test_the_number_of_questions_does_not_grow_with_what_there_is(
    fates: World, root: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        issued(published(merchant=MerchantFactory()))
    with django_assert_max_num_queries(30):
        root.get("/admin/?period=30d")
