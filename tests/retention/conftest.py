"""A customer about whom the portal knows something in every place that can know anything, over a real wire."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import PartnerApp, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from integrations.models.partners import WebhookEvent
from integrations.outbox import doorbell, engine
from integrations.sandbox.server import Sandbox
from merchants.models import Customer, DfireAccount, Merchant, SmartCouponAccount
from tests.api.caller import caller_of
from tests.factories import SmartCouponAccountFactory, issued, published
from tests.hooks.helpers import address_of, callback, give_push, post, tell
from tests.hooks.revisions import KEY, grant, signed
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through

MOBILE, OPENID, IDENTIFIER = "13912340987", "o-Known-To-WeChat-0001", "member-no-778899"
NAMES = (MOBILE, OPENID, IDENTIFIER)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing rings a worker, nothing waits between batches."""
    monkeypatch.setattr(doorbell, "ring", lambda *args: True)
    monkeypatch.setattr(django_settings, "RETENTION_PAUSE_SECONDS", 0)


@pytest.fixture
def dfire(sandbox: Sandbox) -> Dfire:
    """The dfire of `account` and `merchant`."""
    return Dfire(sandbox)


@pytest.fixture
def platform(merchant: Merchant) -> SmartCouponAccount:
    """A smart-coupon account that may push for the merchant."""
    made: SmartCouponAccount = SmartCouponAccountFactory(name="maxfun", token="tok-0123456789abcdef")
    made.merchants.add(merchant)
    return made


@dataclass
class Known:
    """The customer, a usable coupon that was pushed, a redeemed one, and one that another person holds."""

    customer: Customer
    template: CouponTemplate
    pushed: IssuedCoupon
    redeemed: IssuedCoupon
    of_another: IssuedCoupon
    account: DfireAccount
    platform: SmartCouponAccount

    def call_back(self, coupon: IssuedCoupon, **changes: Any) -> Any:
        """dfire tells that a till redeemed it, naming the holder."""
        return tell(callback(self.account, coupon.code, openid=OPENID, **changes))


@pytest.fixture
def known(merchant: Merchant, platform: SmartCouponAccount, dfire: Dfire) -> Known:
    """The customer after some months: pushed to, bound, delivered to, refused, redeemed, called back twice."""
    told = PartnerApp.objects.create(name="told of everything")
    told.merchants.add(merchant)
    WebhookEndpoint.objects.create(app=told, url="https://partner.example/", secret="x", events=WebhookEvent.values)
    template = published(merchant=merchant, stock=10)
    push = give_push(template.coupon_id, identifier=IDENTIFIER)
    for _ in range(2):  # the second is a repeat, which hangs on no coupon
        pushed = post(address_of(platform, "coupon-detail"), push).json()["result"]["coupon_detail_id"]
    customer = Customer.objects.get(identifier=IDENTIFIER)
    customer.mobile, customer.openid = MOBILE, OPENID
    customer.save()
    post(address_of(platform, "coupon-detail"), {**push, "coupon_id": "none", "identifier": MOBILE})
    escaped = json.dumps({**push, "coupon_id": "none either"}).replace(IDENTIFIER, "\\u006dember-no-778899")
    post(address_of(platform, "coupon-detail"), escaped.encode())
    another = SmartCouponAccountFactory(developer_key=KEY)
    another.merchants.add(merchant)
    post(address_of(another, "coupon-detail"), signed(grant("none", 3, customer_identifier=IDENTIFIER), 3))
    body = {"merchant_id": merchant.merchant_id, "coupon_id": template.coupon_id, "identifier": IDENTIFIER}
    asked = caller_of("mini-program", merchant).post("coupons/", body, idempotency_key=f"welcome-{MOBILE}")
    redeemed = IssuedCoupon.objects.get(code=asked.json()["code"])
    of_another = issued(template)
    drain_through()
    dfire.redeem(redeemed.code)
    arrived = WebhookDelivery.objects.filter(coupon=redeemed, event=WebhookEvent.COUPON_ISSUED)
    assert arrived.update(state="done", settled_at=timezone.now()) == 1
    WebhookAttempt.objects.create(delivery=arrived.get(), started_at=timezone.now(), answer=f"thanks for {IDENTIFIER}")
    made = Known(
        customer,
        template,
        IssuedCoupon.objects.get(code=pushed),
        redeemed,
        of_another,
        merchant.dfire_account,
        platform,
    )
    assert made.call_back(redeemed).status_code == 200
    assert made.call_back(redeemed, timestamp="1" + "0" * 12).status_code == 400  # refused, and so not kept
    made.call_back(redeemed, v="1.1")  # told twice
    tell(callback(made.account, "9999888877776666", openid=OPENID))  # fits no coupon: stays open
    return made


def settle() -> None:
    """Workers do what is queued."""
    drain_through()
    engine.drain()
