"""A partner with an address that wants everything, and a merchant of its own."""

import ipaddress
from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from coupons.models import CouponTemplate
from integrations.models import PartnerApp, WebhookEndpoint
from integrations.models.partners import WebhookEvent
from integrations.outbox import doorbell
from integrations.webhooks import lanes
from merchants.models import Merchant
from tests.factories import MerchantFactory, published
from tests.webhooks.partner import Partner


@pytest.fixture(autouse=True)
def _nobody_is_rung(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setattr(doorbell, "ring", lambda *args: None)
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.WEBHOOK_TIMEOUT_SECONDS = 1


@pytest.fixture
def partner() -> Iterator[Partner]:
    """The partner's server."""
    server = Partner()
    yield server
    server.stop()


@pytest.fixture
def own(db: None) -> Merchant:
    """The merchant that the partner works for."""
    made: Merchant = MerchantFactory(merchant_id="88")
    return made


@pytest.fixture
def app(own: Merchant) -> PartnerApp:
    """The partner's app."""
    made = PartnerApp.objects.create(name="小程序")
    made.merchants.add(own)
    return made


@pytest.fixture
def endpoint(app: PartnerApp, partner: Partner) -> WebhookEndpoint:
    """Its address, for every event."""
    return WebhookEndpoint.objects.create(
        app=app, url=partner.url, secret=partner.secret, events=list(WebhookEvent.values)
    )


@pytest.fixture
def template(own: Merchant) -> CouponTemplate:
    """A template that was published before the partner came; needs no `endpoint` to have been asked for."""
    return published(merchant=own)


@pytest.fixture
def fixed_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No jitter."""
    monkeypatch.setattr(lanes.random, "uniform", lambda low, high: 1.0)
