"""A coupon's way to dfire over real HTTP."""

import pytest

from coupons.choices import Delivery
from integrations.outbox import engine
from integrations.sandbox.server import Sandbox
from merchants.models import Merchant
from tests.factories import CustomerFactory, issued, published

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_issued_coupon_is_held_at_dfire_once(merchant: Merchant, sandbox: Sandbox) -> None:
    coupon = issued(published(merchant=merchant), CustomerFactory(merchant=merchant))
    engine.drain()
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED
