"""Giving a coupon to another customer through the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.sandbox.server import Sandbox
from merchants.models import DfireAccount, Merchant
from tests.api.caller import Caller, caller_of, refused, written
from tests.factories import CustomerFactory, MerchantFactory, issued, published
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through

pytestmark = pytest.mark.django_db
PAST = timezone.now() - timedelta(days=1)


@pytest.fixture
def coupon(template: CouponTemplate) -> IssuedCoupon:
    """A coupon on its way to dfire."""
    return issued(template)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["identifier", "openid"])
def test_the_receiver_holds_it_at_once_and_dfire_follows(sandbox: Sandbox, account: DfireAccount, name: str) -> None:
    merchant = MerchantFactory(merchant_id="88", dfire_account=account)
    api, dfire, template = caller_of("mini-program", merchant), Dfire(sandbox), published(merchant=merchant)
    friend, coupon = CustomerFactory(merchant=merchant, identifier="m-2", openid="o-2"), issued(template)
    drain_through()
    path, body = f"coupons/{coupon.code}/transfer/", {f"to_{name}": getattr(friend, name)}
    answer = api.post(path, body)
    assert answer.status_code == 202
    assert (answer.json()["identifier"], answer.json()["delivery"]) == ("m-2", "queued")
    again = api.post(path, body)
    assert (again.status_code, again.content) == (202, answer.content)
    assert coupon.events.get(kind="transferred").actor == "api:mini-program"
    drain_through()
    assert api.get(f"coupons/{coupon.code}/").json()["delivery"] == "delivered"
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (held["openid"], dfire.totals()["delivered_twice"]) == ("o-2", 0)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"status": "redeeming"}, "redeeming"),
        ({"status": "revoked"}, "revoked"),
        ({"status": "redeemed", "redeemed_at": PAST}, "already_redeemed"),
        ({"valid_from": PAST, "valid_until": PAST}, "expired"),
    ],
)
def test_what_is_over_or_being_redeemed_stays(
    api: Caller, coupon: IssuedCoupon, state: dict[str, Any], code: str
) -> None:
    IssuedCoupon.objects.filter(pk=coupon.pk).update(**state)
    before = written()
    answer = api.post(f"coupons/{coupon.code}/transfer/", {"to_identifier": "somebody new"})
    assert refused(answer) == (409, code, None)
    assert written() == before, "the new customer neither"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "exactly_one", "to_identifier")),
        ({"to_identifier": "a", "to_openid": "b"}, (400, "exactly_one", "to_openid")),
        ({"to_identifier": ""}, (400, "blank", "to_identifier")),
        ({"to_mobile": "13900139000", "to_openid": "o"}, (400, "unknown_field", "to_mobile")),
        ({"to_openid": "o-of-nobody"}, (404, "unknown_customer", "to_openid")),
    ],
)
def test_a_receiver_must_be_named(api: Caller, coupon: IssuedCoupon, body: Any, expected: Any) -> None:
    before = written()
    assert refused(api.post(f"coupons/{coupon.code}/transfer/", body)) == expected
    assert written() == before


def test_another_merchants_customer_is_nobody(api: Caller, coupon: IssuedCoupon, stranger: Merchant) -> None:
    CustomerFactory(merchant=stranger, openid="o-9")
    answer = api.post(f"coupons/{coupon.code}/transfer/", {"to_openid": "o-9"})
    assert refused(answer) == (404, "unknown_customer", "to_openid")
