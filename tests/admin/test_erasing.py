"""Erasing a customer in the admin: figures and a reason before, the state after, nobody without the right."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.retention import erasing
from merchants.models import Customer, Erasure
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import act, action_of, list_of, page_of
from tests.factories import CustomerFactory, issued


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def shown(client: Client, row: Any) -> str:
    return text_of(client.get(page_of(row)))


def test_the_dialog_says_what_will_happen_to_how_many_coupons(lili: Client, world: World) -> None:
    dialog = text_of(lili.get(action_of(world.coupon.customer, "erase")))
    assert "Erase this customer for good?" in dialog
    assert "1 usable coupon is revoked here and withdrawn at dfire." in dialog
    assert "stay" not in dialog
    assert "being redeemed" not in dialog
    IssuedCoupon.objects.filter(pk=world.coupon.pk).update(status=CouponStatus.REDEEMING)
    over = issued(world.template, world.coupon.customer)
    IssuedCoupon.objects.filter(pk=over.pk).update(status=CouponStatus.EXPIRED)
    assert "1 used or ended coupon stays in the figures" in text_of(lili.get(action_of(world.coupon.customer, "erase")))
    assert "1 coupon is being redeemed" in text_of(lili.get(action_of(world.coupon.customer, "erase")))


def test_it_wants_a_reason(lili: Client, world: World) -> None:
    address = action_of(world.coupon.customer, "erase")
    assert lili.post(address, {"_form_submitted": "1", "reason": " "}).status_code == 200
    assert not Erasure.objects.exists()


def test_an_erased_customers_page_says_so_and_takes_nothing_more(lili: Client, world: World) -> None:
    customer = world.coupon.customer
    assert act(lili, customer, "erase", reason="asked by letter") == [
        "The names are gone from this page. The rest follows within minutes."
    ]
    html = shown(lili, customer)
    assert MOBILE not in html
    assert "Erasing" in html
    assert action_of(customer, "erase") not in html
    lili.post(page_of(customer), {"identifier": MOBILE, "mobile": MOBILE, "openid": "o"})
    assert Customer.objects.get(pk=customer.pk).mobile == ""
    assert act(lili, customer, "erase", reason="again") == ["This customer had been erased already."]


def test_what_an_erasure_waits_for_is_shown_until_it_is_done(lili: Client, world: World) -> None:
    customer = world.coupon.customer
    act(lili, customer, "erase", reason="asked by letter")
    row = OutboxRow.objects.create(
        kind=RowKind.WITHDRAW, merchant=world.own, account=world.account, coupon=world.coupon,
        available_at=timezone.now(),
    )  # fmt: skip
    erasure = Erasure.objects.get()
    for page in (customer, erasure):
        assert "1 withdrawal left" in shown(lili, page)
    OutboxRow.objects.filter(pk=row.pk).update(state=RowState.DEAD)
    assert "1 withdrawal failed: retry it in the outbox, or give it up there" in shown(lili, customer)
    OutboxRow.objects.filter(pk=row.pk).update(state=RowState.DONE, settled_at=timezone.now())
    assert "the last traces are being removed" in shown(lili, customer)
    assert erasing.advance(erasure)
    assert "Erased on" in shown(lili, customer)
    assert "erased" in text_of(lili.get(list_of(Erasure)))


def test_the_log_says_who_and_why_without_a_name(lili: Client, world: World) -> None:
    customer = world.coupon.customer
    act(lili, customer, "erase", reason=f"{MOBILE} wrote")
    entry = LogEntry.objects.get()
    assert (entry.user.get_username(), entry.object_repr) == ("lili", f"erased customer {customer.pk}")
    assert entry.get_change_message() == "Erased: *** wrote"


def test_whoever_may_not_erase_finds_no_button_and_no_address(lili: Client, staff: User, world: World) -> None:
    customer = world.coupon.customer
    assert action_of(customer, "erase") in shown(lili, customer)
    staff.user_permissions.remove(Permission.objects.get(codename="erase_customer"))
    assert action_of(customer, "erase") not in shown(lili, customer)
    assert lili.post(action_of(customer, "erase"), {"_form_submitted": "1", "reason": "x"}).status_code == 403
    assert not Erasure.objects.exists()


def test_another_merchants_customer_is_neither_counted_nor_erased(lili: Client, world: World) -> None:
    address = action_of(world.other_coupon.customer, "erase")
    assert "usable coupon" not in text_of(lili.get(address))
    assert lili.post(address, {"_form_submitted": "1", "reason": "x"}).status_code == 404
    assert not Erasure.objects.exists()


def test_who_comes_back_is_recognised(lili: Client, root: Client, world: World) -> None:
    customer = world.coupon.customer
    act(lili, customer, "erase", reason="asked by letter")
    found = lili.get(list_of(Customer), {"q": MOBILE}).context["cl"].result_list
    assert [row.pk for row in found] == [customer.pk]
    again = CustomerFactory(merchant=world.own, identifier=MOBILE)
    assert "Someone of this name was erased before" in shown(lili, again)
    elsewhere = CustomerFactory(merchant=world.other, identifier=MOBILE)
    assert "Someone of this name" not in shown(root, elsewhere)


def test_the_list_filters_by_erased(lili: Client, world: World) -> None:
    act(lili, world.coupon.customer, "erase", reason="asked by letter")
    erased = lili.get(list_of(Customer), {"binding": "erased"}).context["cl"].result_list
    assert [row.pk for row in erased] == [world.coupon.customer_id]
    missing = lili.get(list_of(Customer), {"binding": "openid"}).context["cl"].result_list
    assert world.coupon.customer_id not in [row.pk for row in missing]


@pytest.mark.parametrize("model", [Customer, Erasure])
def test_lists_open_with_erased_customers_in_them(lili: Client, world: World, model: Any) -> None:
    act(lili, world.coupon.customer, "erase", reason="asked by letter")
    assert f"erased customer {world.coupon.customer_id}" in text_of(lili.get(list_of(model)))


def test_nobody_deletes_a_customer(root: Client, world: World) -> None:
    customer = CustomerFactory(merchant=world.own)
    assert root.post(page_of(customer).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert Customer.objects.filter(pk=customer.pk).exists()
