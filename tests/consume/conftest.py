"""A platform that wants reports, played by the sandbox."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from coupons import issuing
from coupons.choices import Source
from coupons.issuing import Through
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.outbox import doorbell
from integrations.sandbox.server import Sandbox
from merchants.models import Merchant, SmartCouponAccount
from tests.consume.helpers import Reports
from tests.factories import CustomerFactory, SmartCouponAccountFactory, published

APP_ID, APP_SECRET = "portal-at-maxfun", "consume-s3cr3t"


@pytest.fixture(autouse=True)
def _nobody_is_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring", lambda *args: None)


@pytest.fixture
def platform(sandbox: Sandbox, merchant: Merchant) -> SmartCouponAccount:
    """An account with an address to report to."""
    known = json.loads(sandbox.app.config.path.read_text())
    known["platforms"] = [{"name": "maxfun", "token": "t", "app_id": APP_ID, "app_secret": APP_SECRET}]
    sandbox.app.config.path.write_text(json.dumps(known))
    account: SmartCouponAccount = SmartCouponAccountFactory(
        name="maxfun", consume_base_url=sandbox.url, app_id=APP_ID, app_secret=APP_SECRET
    )
    account.merchants.add(merchant)
    return account


@pytest.fixture
def reported(sandbox: Sandbox) -> Reports:
    """What the platform has received."""
    return Reports(sandbox)


@pytest.fixture
def template(merchant: Merchant) -> CouponTemplate:
    """A template of merchant 88."""
    return published(merchant=merchant)


@pytest.fixture
def pushed(template: CouponTemplate, platform: SmartCouponAccount) -> Callable[[], IssuedCoupon]:
    """Give a coupon as the platform does."""
    through = Through(source=Source.PUSH, actor="push:maxfun", account=platform)

    def give(**options: Any) -> IssuedCoupon:
        customer = CustomerFactory(merchant=template.merchant)
        return issuing.issue(template=template, customer=customer, through=through, **options)

    return give
