"""What the tests of reconciliation share: a dfire of their own, and no waiting for things to calm down."""

from typing import Any

import pytest

from coupons.models import CouponTemplate
from integrations.outbox import engine
from integrations.sandbox.server import Sandbox
from merchants.models import Merchant
from tests.factories import published
from tests.reconcile.dfire import Dfire


@pytest.fixture(autouse=True)
def _at_once(settings: Any) -> None:
    """What has just happened may be held against a list; `test_movement` says what the pause is for."""
    settings.RECONCILE_QUIET_SECONDS = 0


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
