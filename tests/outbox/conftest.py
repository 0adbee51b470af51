"""What the outbox's tests share."""

import pytest

from coupons.models import CouponTemplate
from integrations.outbox import engine
from integrations.sandbox.server import Sandbox
from merchants.models import Merchant
from tests.factories import published
from tests.outbox.dfire import Dfire


@pytest.fixture
def dfire(sandbox: Sandbox) -> Dfire:
    """The dfire of `account` and `merchant`."""
    return Dfire(sandbox)


@pytest.fixture
def template(merchant: Merchant) -> CouponTemplate:
    """A template that dfire knows."""
    made = published(merchant=merchant)
    engine.drain()
    return made
