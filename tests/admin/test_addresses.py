"""What an address asks of the portal is bounded: conditions, the ends of the calendar and of numbers, and bodies."""

from typing import Any

import pytest
from django.test import Client

from config.uploads import MOST_BODY_BYTES, MOST_OF_STRANGERS_BYTES
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import DfireCallback, OutboxRow, Push
from merchants.models import Customer
from tests.admin.conftest import MOBILE, World
from tests.admin.pages import action_of, list_of


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (Customer, "mobile__startswith"),
        (Customer, "mobile"),
        (Customer, "identifier__in"),
        (Customer, "pk__regex"),
        (Customer, "merchant__pk__regex"),
        (IssuedCoupon, "code__iregex"),
        (IssuedCoupon, "delivered_mobile__gt"),
        (IssuedCoupon, "delivered_openid"),
        (IssuedCoupon, "code__contains"),
        (IssuedCoupon, "issued_at__date__year"),
        (DfireCallback, "parameters__mobile"),
        (OutboxRow, "details__title__regex"),
        (OutboxRow, "last_message__contains"),
        (Push, "body__contains"),
    ],
)
def test_an_address_asks_for_whole_values_of_what_is_not_masked(
    lili: Client, world: World, model: Any, lookup: str
) -> None:
    assert lili.get(list_of(model), {lookup: "1"}).status_code == 400
    assert lili.get(f"{list_of(model)}export-csv/", {lookup: "1"}).status_code == 400


def test_links_and_filters_still_narrow_a_list(lili: Client, world: World) -> None:
    asked = {"merchant__id__exact": world.own.pk, "code": world.coupon.code, "status__in": "issued,redeemed", "pk": ""}
    asked["pk"] = world.coupon.pk
    shown = lili.get(list_of(IssuedCoupon), asked)
    assert list(shown.context["cl"].result_list) == [world.coupon]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(lili: Client, client: Client, world: World) -> None:
    for browser, path, most in (
        (lili, "/admin/merchants/customer/by-file/", MOST_BODY_BYTES),
        (client, "/admin/login/", MOST_OF_STRANGERS_BYTES),
        (client, "/i18n/setlang/", MOST_OF_STRANGERS_BYTES),
        *((client, path, MOST_OF_STRANGERS_BYTES) for path in ("/", "/healthz", "/readyz", "/metrics", "/api/docs/")),
    ):
        large = browser.generic("POST", path, b"", "multipart/form-data; boundary=x", CONTENT_LENGTH=str(most + 1))
        assert large.status_code == 413, path
        fine = browser.generic("POST", path, b"", "multipart/form-data; boundary=x", CONTENT_LENGTH="0")
        assert fine.status_code != 413, path


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_like_others(lili: Client, world: World, day: str) -> None:
    for model, name in ((IssuedCoupon, "redeemed_at"), (IssuedCoupon, "issued_at"), (CouponTemplate, "end_date")):
        assert lili.get(list_of(model), {f"{name}_from": day, f"{name}_to": day}).status_code == 200
    assert lili.get("/admin/", {"period": "own", "from": day, "to": day}).status_code == 200
    assert lili.get("/admin/settlement/", {"first": day, "last": day}).status_code == 200


def test_numbers_beyond_a_key_find_nothing(lili: Client, world: World) -> None:
    for number in ("9223372036854775808", "9" * 40, "²"):
        for lookup in (
            "merchant__id__exact",
            "template__id__exact",
            "customer__id__exact",
            "id__in",
            "batch__id__exact",
        ):
            assert lili.get(list_of(IssuedCoupon), {lookup: number}).status_code in (200, 302), (lookup, number)
        assert lili.get(list_of(Customer), {"id__exact": number}).status_code in (200, 302)
        address = action_of(world.coupon, "reissue").replace(f"/{world.coupon.pk}/", f"/{number}/")
        assert lili.get(address).status_code in (302, 404)


def test_a_mobile_number_does_not_lead_to_its_customer_by_file(lili: Client, root: Client, world: World) -> None:
    holder = world.coupon.customer
    Customer.objects.filter(pk=holder.pk).update(mobile=MOBILE, openid="oStored0000000000000000000001")
    form = {"merchant": world.own.pk, "text": f"{MOBILE}\toGiven00000000000000000000001", "adds_unknown": "on"}
    for browser, sees in ((lili, False), (root, True)):
        html = browser.post("/admin/merchants/customer/by-file/", form, follow=True).content.decode()
        assert "oGiven00000000000000000000001" in html
        assert ("oStored0000000000000000000001" in html) is sees
        assert (f"/admin/merchants/customer/{holder.pk}/change/" in html) is sees
