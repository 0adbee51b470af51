"""Members of staff and a small world for them to look at: two merchants, of which the scoped one sees the first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations import inbox
from integrations.alerts.incidents import raise_incident
from integrations.models import (
    AccountState,
    AlertTarget,
    ApiAnswer,
    ApiCall,
    ApiKey,
    DfireCallback,
    Incident,
    OutboxAttempt,
    OutboxRow,
    PartnerApp,
    Push,
    PushAnswer,
    UnknownCodes,
    WebhookEndpoint,
)
from integrations.models.alerts import IncidentKind
from integrations.models.outbox import RowKind, RowState
from merchants.models import DfireAccount, Merchant, MerchantScope, SmartCouponAccount
from tests.factories import (
    CouponTemplateFactory,
    CustomerFactory,
    DfireAccountFactory,
    MerchantFactory,
    ShopFactory,
    SmartCouponAccountFactory,
    issued,
    published,
)

MOBILE = "13912345678"
SECRETS = {
    "alert": "alert-s3cr3t",
    "app": "dfire-s3cr3t",
    "developer": "developer-s3cr3t",
    "consume": "consume-s3cr3t",
    "hook": "whsec_s3cr3t",
}


@dataclass
class World:
    """What there is. `own` things are the scoped member's merchant's, `other` ones another merchant's."""

    account: DfireAccount
    own: Merchant
    other: Merchant
    template: CouponTemplate
    draft: CouponTemplate
    other_template: CouponTemplate
    coupon: IssuedCoupon
    failed: IssuedCoupon
    other_coupon: IssuedCoupon
    dead: OutboxRow
    other_row: OutboxRow
    open_callback: DfireCallback
    other_callback: DfireCallback
    smart: SmartCouponAccount
    partner: PartnerApp
    alert_target: AlertTarget
    own_incident: Incident
    other_incident: Incident
    account_incident: Incident


@pytest.fixture
def world(db: None) -> World:
    """Two merchants with everything that has a page."""
    account = DfireAccountFactory(name="main", app_secret=SECRETS["app"])
    own = MerchantFactory(name="自家火锅", merchant_id="own", dfire_account=account, entity_id="11111111")
    other = MerchantFactory(name="别家餐厅", merchant_id="other", dfire_account=account, entity_id="22222222")
    ShopFactory(merchant=own, entity_id="10000001", name="西湖店")
    ShopFactory(merchant=other, entity_id="20000001", name="别家店")
    template, other_template = published(merchant=own, stock=100), published(merchant=other, title="别家的券")
    holder = CustomerFactory(merchant=own, identifier=MOBILE)
    coupon, failed, other_coupon = issued(template, holder), issued(template), issued(other_template)
    smart = SmartCouponAccountFactory(
        name="platform", developer_key=SECRETS["developer"], app_secret=SECRETS["consume"]
    )
    smart.merchants.add(own)
    partner = PartnerApp.objects.create(name="小程序", scopes=["coupons:read"])
    ApiKey.objects.create(app=partner, prefix="cp_12345", key_hash="f" * 64)
    WebhookEndpoint.objects.create(
        app=partner, url="https://example.com/hook", secret=SECRETS["hook"], events=["coupon.redeemed"]
    )
    UnknownCodes.objects.create(app=partner, count=7, counted_at=timezone.now(), held_at=timezone.now())
    AccountState.objects.create(account=account, stopped_at=timezone.now(), stop_code="25", stop_message="无效签名")
    for pushed in (coupon, other_coupon):
        Push.objects.create(
            account=smart, address="coupon-detail", revision=1, received_at=timezone.now(), status=200,
            body=f'{{"identifier": "{MOBILE}"}}', answer={"code": pushed.code}, coupon=pushed,
        )  # fmt: skip
    told = AlertTarget.objects.create(name="值班群", address=f"wecombot://{SECRETS['alert']}")
    told.merchants.add(own)
    own_incident = raise_incident(IncidentKind.DEAD_LETTERS, merchant=own, figures={"count": 1})
    other_incident = raise_incident(IncidentKind.DEAD_LETTERS, merchant=other, figures={"count": 2})
    account_incident = raise_incident(
        IncidentKind.ACCOUNT_STOPPED, account=account, figures={"code": "25", "message": "无效签名"}
    )
    PushAnswer.objects.create(account=smart, address="coupon", digest="0" * 64, answered_at=timezone.now())
    ApiAnswer.objects.create(
        app=partner, method="POST", path="/api/v1/coupons/", key_hash="0" * 64, body_hash="0" * 64, status=201,
        answer=f'{{"identifier": "{MOBILE}"}}', answered_at=timezone.now(),
    )  # fmt: skip
    for about in (coupon, other_coupon):
        ApiCall.objects.create(
            app=partner, at=timezone.now(), method="GET", route="api-coupon", path=f"/api/v1/coupons/{about.code}/",
            status=200, duration_ms=7, answer='{"status": "issued"}', coupon=about, merchant=about.merchant,
        )  # fmt: skip
    return World(
        account=account, own=own, other=other, template=template, draft=CouponTemplateFactory(merchant=own),
        other_template=other_template, coupon=coupon, failed=failed, other_coupon=other_coupon,
        dead=_fail(failed), other_row=OutboxRow.objects.get(coupon=other_coupon),
        open_callback=callback(account, own.entity_id), other_callback=callback(account, other.entity_id),
        smart=smart, partner=partner, alert_target=told, own_incident=own_incident, other_incident=other_incident,
        account_incident=account_incident,
    )  # fmt: skip


def callback(account: DfireAccount, entity_id: str, code: str = "9999888877776666") -> DfireCallback:
    """A redemption that dfire told."""
    parameters = {"thirdDeliverCode": code, "entityId": entity_id, "mobile": MOBILE}
    return inbox.take(
        account,
        inbox.Redemption(
            code=code, promotion_id="1", entity_id=entity_id, sent_at=timezone.now(), parameters=parameters
        ),
    )


def _fail(coupon: IssuedCoupon) -> OutboxRow:
    """Let the delivery have been refused by dfire."""
    row = OutboxRow.objects.get(coupon=coupon, kind=RowKind.DELIVER)
    OutboxAttempt.objects.create(
        row=row, phase="send", method="dfire.shop.deliver.promotion", lease_token=uuid4(),
        started_at=timezone.now() - timedelta(seconds=1), result="permanent", code="005", message="会员不存在",
        request={"mobile": MOBILE}, answer=f'{{"message": "会员不存在 {MOBILE}"}}',
    )  # fmt: skip
    row.state, row.last_class, row.last_code, row.last_message = RowState.DEAD, "permanent", "005", "会员不存在"
    row.save()
    with transaction.atomic():
        lifecycle.mark_delivery(lifecycle.lock([coupon.pk])[0], Delivery.FAILED)
    return row


@pytest.fixture
def administrator(db: None) -> User:
    """Sees everything."""
    return User.objects.create_superuser("root", "root@example.com", "x")


@pytest.fixture
def staff(world: World) -> User:
    """Has every permission but for whole mobile numbers and accounts, and the first merchant alone."""
    user = User.objects.create_user("lili", is_staff=True)
    ours = Permission.objects.filter(content_type__app_label__in=["merchants", "coupons", "integrations"])
    user.user_permissions.set(ours.exclude(codename__in=["view_full_mobile", "manage_accounts"]))
    MerchantScope.objects.create(user=user).merchants.add(world.own)
    return user


@pytest.fixture
def browser(world: World) -> Callable[..., Client]:
    """A browser in which someone is signed in, with a language."""

    def sign_in(user: User, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def root(browser: Any, administrator: User) -> Client:
    """The administrator's browser, in English."""
    return browser(administrator)


@pytest.fixture
def lili(browser: Any, staff: User) -> Client:
    """The scoped member's browser, in English."""
    return browser(staff)
