"""Customers: what is edited, what waits for it, and who may see a number."""

from django.contrib.auth.models import Permission, User
from django.test import Client

from coupons.models import IssuedCoupon
from integrations.models import OutboxRow
from merchants.models import Customer
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import add_of, list_of, page_of
from tests.factories import CustomerFactory, issued


def test_entering_the_openid_lets_go_what_waited(lili: Client, world: World) -> None:
    customer = CustomerFactory(merchant=world.own, openid="")
    coupon = issued(world.template, customer)
    html = lili.get(page_of(customer)).content.decode()
    assert "openid missing" in html
    assert "1 coupon" in html
    lili.post(page_of(customer), {"mobile": "", "openid": "o-new"})
    assert OutboxRow.objects.get(coupon=coupon).state == "queued"
    assert IssuedCoupon.objects.get(pk=coupon.pk).delivery == "queued"


def test_a_hidden_number_left_empty_stays(lili: Client, world: World) -> None:
    lili.post(page_of(world.coupon.customer), {"mobile": "", "openid": "o-2"})
    customer = Customer.objects.get(pk=world.coupon.customer_id)
    assert (customer.mobile, customer.openid, customer.identifier) == (MOBILE, "o-2", MOBILE)


def test_whoever_may_see_numbers_may_remove_one(lili: Client, staff: User, world: World) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_full_mobile"))
    lili.post(page_of(world.coupon.customer), {"identifier": MOBILE, "mobile": "", "openid": "o"})
    assert Customer.objects.get(pk=world.coupon.customer_id).mobile == ""


def test_an_openid_of_another_customer_is_refused_beside_the_form(lili: Client, world: World) -> None:
    other = CustomerFactory(merchant=world.own)
    response = lili.post(page_of(world.coupon.customer), {"mobile": "", "openid": other.openid})
    assert response.status_code == 200
    assert "Another customer of this merchant has this openid." in response.content.decode()


def test_a_binding_made_in_the_meantime_is_not_written_back(lili: Client, world: World) -> None:
    customer = CustomerFactory(merchant=world.own, openid="")
    Customer.objects.filter(pk=customer.pk).update(openid="bound-meanwhile")
    lili.post(page_of(customer), {"mobile": "13700000000", "openid": "bound-meanwhile"})
    assert Customer.objects.get(pk=customer.pk).openid == "bound-meanwhile"


def test_add_one(lili: Client, world: World) -> None:
    lili.post(add_of(Customer), {"merchant": world.own.pk, "identifier": "vip-1", "mobile": "", "openid": ""})
    assert Customer.objects.filter(merchant=world.own, identifier="vip-1").exists()


def test_search_is_by_the_whole_name(lili: Client, world: World) -> None:
    assert len(lili.get(list_of(Customer), {"q": MOBILE}).context["cl"].result_list) == 1
    assert len(lili.get(list_of(Customer), {"q": MOBILE[2:]}).context["cl"].result_list) == 0


def test_filter_by_what_is_missing(lili: Client, world: World) -> None:
    missing = CustomerFactory(merchant=world.own, openid="")
    shown = lili.get(list_of(Customer), {"binding": "openid"}).context["cl"].result_list
    assert [customer.pk for customer in shown] == [missing.pk]
