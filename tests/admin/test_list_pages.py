"""Long lists by pages: found by the row where the last one ended, with rows as Unfold makes them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from unfold.templatetags import unfold_list

from coupons.issuing import issue_many
from coupons.models import IssuedCoupon
from merchants.admin.list_rows import QuickRows
from merchants.models import Customer, Merchant
from tests.admin.conftest import World
from tests.admin.pages import list_of
from tests.factories import STAFF, CustomerFactory, published

LIST = list_of(IssuedCoupon)
SIZE = 50


@pytest.fixture
def many(world: World) -> list[int]:
    """Keys of enough coupons for three pages, the newest first."""
    template = published(merchant=world.own)
    customers = [customer.pk for customer in CustomerFactory.create_batch(2 * SIZE + 20, merchant=world.own)]
    issue_many(template=template, customers=customers, through=STAFF)
    return list(IssuedCoupon.objects.filter(merchant=world.own).order_by("-pk").values_list("pk", flat=True))


def page(client: Client, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200
    return response.context["cl"]


def keys(listed: Any) -> list[int]:
    return [row.pk for row in listed.result_list]


@pytest.mark.parametrize("narrowed", ["", "?status__exact=issued", "?issued_at_to=2999-01-01"])
def test_pages_lead_through_all_rows_and_back(lili: Client, many: list[int], narrowed: str) -> None:
    there = [page(lili, LIST + narrowed)]
    while there[-1].next_address:
        there.append(page(lili, LIST + there[-1].next_address))
    assert [key for one in there for key in keys(one)] == many
    assert [len(keys(one)) for one in there] == [SIZE, SIZE, len(many) - 2 * SIZE]
    back = [there[-1]]
    while back[-1].previous_address:
        back.append(page(lili, LIST + back[-1].previous_address))
    assert [keys(one) for one in reversed(back)] == [keys(one) for one in there]


def test_a_page_is_found_without_passing_over_rows(lili: Client, many: list[int]) -> None:
    with CaptureQueriesContext(connection) as asked:
        page(lili, LIST + page(lili, LIST).next_address)
    assert not [query["sql"] for query in asked if " OFFSET " in query["sql"]]


def test_rows_of_one_moment_are_neither_lost_nor_told_twice(lili: Client, many: list[int]) -> None:
    IssuedCoupon.objects.update(issued_at=timezone.now())
    asked, found = "?issued_at_to=2999-01-01", []
    while asked:
        listed = page(lili, LIST + asked)
        found += keys(listed)
        asked = listed.next_address
    assert found == many


def test_a_row_that_is_gone_or_elsewhere_still_leads(lili: Client, world: World, many: list[int]) -> None:
    IssuedCoupon.objects.filter(pk=many[SIZE]).update(issued_at=timezone.now() + timedelta(days=1))
    assert keys(page(lili, f"{LIST}?after={many[9]}")) == many[10 : 10 + SIZE]
    assert keys(page(lili, f"{LIST}?after={max(many) + 1000}")) == many[:SIZE]
    assert keys(page(lili, f"{LIST}?before={many[70]}")) == many[20:70]
    assert keys(page(lili, f"{LIST}?before={many[7]}")) == many[:SIZE]


@pytest.mark.parametrize("begin", ["x", "", "-1", "9" * 40, "１", "\x00", "1e3", "' OR 1=1"])
@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize("order", ["", "&redeemed_at_from=x", "&issued_at_to=2999-01-01"])
def test_whatever_an_address_names_the_list_opens(
    lili: Client, world: World, side: str, begin: str, order: str
) -> None:
    assert lili.get(f"{LIST}?{side}={begin}{order}").status_code == 200


def test_another_merchants_row_leads_nowhere_else(lili: Client, world: World, many: list[int]) -> None:
    listed = page(lili, f"{LIST}?issued_at_to=2999-01-01&after={world.other_coupon.pk}")
    assert keys(listed) == many[:SIZE]


def test_a_page_number_is_still_understood(lili: Client, many: list[int]) -> None:
    listed = page(lili, f"{LIST}?p=2")
    assert keys(listed) == many[SIZE : 2 * SIZE]
    assert keys(page(lili, LIST + listed.next_address)) == many[2 * SIZE :]


def test_filters_and_searches_begin_anew(lili: Client, many: list[int]) -> None:
    listed = page(lili, f"{LIST}?status__exact=issued&after={many[60]}")
    assert listed.get_query_string() == "?status__exact=issued"
    html = lili.get(f"{LIST}?status__exact=issued&after={many[60]}").content.decode()
    assert 'name="after"' not in html


def test_an_order_through_a_relation_is_paged_by_numbers(lili: Client, many: list[int], world: World) -> None:
    CustomerFactory.create_batch(SIZE + 5, merchant=world.own)
    place = page(lili, list_of(Customer)).list_display.index("merchant")
    listed = page(lili, f"{list_of(Customer)}?o={place}")
    assert "p=2" in listed.next_address
    assert len(keys(page(lili, list_of(Customer) + listed.next_address))) >= 5


def test_rows_are_as_unfold_makes_them(root: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for model in (IssuedCoupon, Customer, Merchant):
        quick = table(root, list_of(model) + "?q=")
        with monkeypatch.context() as patched:
            patched.setattr(QuickRows, "rows_are_plain", False)
            assert table(root, list_of(model) + "?q=") == quick
    assert "result_list" in quick
    assert unfold_list.ROW_CLASSES[0] in quick


def table(client: Client, address: str) -> str:
    found = re.search(r"<table id=\"result_list\".*</table>", client.get(address).content.decode(), re.DOTALL)
    assert found
    return re.sub(r"\s*(<|>)\s*", r"\1", " ".join(found[0].split()))
