"""An account that asks for dfire's word, the sandbox's dfire that gives it, and a partner who is told."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from integrations.models import PartnerApp, WebhookDelivery, WebhookEndpoint
from integrations.models.partners import WebhookEvent
from integrations.sandbox.server import Sandbox
from integrations.webhooks.signing import new_secret
from merchants.models import Merchant, SmartCouponAccount
from tests.factories import MerchantFactory, SmartCouponAccountFactory
from tests.outbox.dfire import Dfire


@pytest.fixture(autouse=True)
def _quick(settings: LazySettings) -> None:
    """A second is enough for a sandbox beside us."""
    settings.PUSH_CONFIRM_SECONDS = 1
    settings.HOOK_RATE_LIMIT = 0


@pytest.fixture
def dfire(sandbox: Sandbox) -> Dfire:
    return Dfire(sandbox)


@pytest.fixture
def merchant(account: Any) -> Merchant:
    """Merchant 88, whose tills are the sandbox's."""
    made: Merchant = MerchantFactory(merchant_id="88", dfire_account=account)
    return made


@pytest.fixture
def platform(merchant: Merchant) -> SmartCouponAccount:
    """An account that asks for dfire's word."""
    account: SmartCouponAccount = SmartCouponAccountFactory(name="careful", confirm_with_dfire=True)
    account.merchants.add(merchant)
    return account


@pytest.fixture
def told(merchant: Merchant) -> Callable[[], list[str]]:
    """The events that a partner of the merchant is told of, so far."""
    app = PartnerApp.objects.create(name="partner")
    app.merchants.add(merchant)
    WebhookEndpoint.objects.create(
        app=app, url="https://partner.example/", secret=new_secret(), events=list(WebhookEvent.values)
    )
    return lambda: list(WebhookDelivery.objects.order_by("pk").values_list("event", flat=True))
