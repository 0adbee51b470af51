"""One of everything that has pages, at one merchant, in the small world of tests/admin."""

import uuid

from django.contrib.auth.models import User
from django.utils import timezone

from coupons import batches, customer_files, figures
from coupons.approvals import asking
from coupons.models import CouponTemplate, DoneAlone, IssuedCoupon, Reissue
from integrations.models import (
    ConsumeReport,
    CustomerAtRisk,
    Finding,
    Incident,
    Notice,
    OutboxAttempt,
    OutboxRow,
    PartnerApp,
    PartnerOrder,
    ReadsInFlight,
    Reconciliation,
    ReportLane,
    SignatureSeen,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)
from integrations.models.alerts import NoticeEvent
from integrations.models.orders import OrderState
from integrations.models.partners import WebhookEvent
from integrations.models.reconcile import Drift, RunState
from integrations.webhooks.signing import new_secret
from merchants import erasing
from merchants.clock import local_day
from merchants.models import Authenticator, FailedSignIn, MerchantScope, SignInLock
from tests.admin.conftest import World
from tests.factories import CustomerFactory, SmartCouponAccountFactory, issued


def one_of_everything(
    world: World, template: CouponTemplate, incident: Incident, *, name: str, mobile: str, host: str
) -> IssuedCoupon:
    """Make it for the template's merchant, under a name that tells whose it is; a coupon of the new holder."""
    merchant = template.merchant
    coupon = issued(template, CustomerFactory(merchant=merchant, identifier=mobile, openid=f"openid-{name}"))
    now = timezone.now()
    run = Reconciliation.objects.create(
        merchant=merchant, mode="full", state=RunState.PLANNED, created_at=now, resume_at=now
    )
    Finding.objects.create(
        run=run, kind=Drift.MISSING_THERE, subject=coupon.code, coupon=coupon, read_at=now,
        details={"status": "issued", "delivery": "delivered", "there": "absent"},
    )  # fmt: skip
    batch = batches.begin_issue(template, f"{mobile}\n1370000\n", name=f"{name}名单")
    batches.work_all()
    assert batch.rows.exists()
    file = customer_files.begin(
        merchant, f"手机号,openid\n{mobile},o-{name}\n1370000,\n", adds_unknown=True, name=f"{name}名单"
    )
    customer_files.work_here(file)  # and not the other merchant's, which still has its parts
    customer_files.begin(merchant, f"手机号\n{mobile}\n", adds_unknown=True, name=f"{name}名单")
    asker, _made = User.objects.get_or_create(username="asker", is_staff=True)
    asking.ask_to_issue(batch, by=asker, reason=f"{name}的券")
    DoneAlone.objects.create(user=asker, template=template, gives=True, coupons=1, value_fen=1)
    row = OutboxRow.objects.filter(merchant=merchant).first()
    assert row is not None
    OutboxAttempt.objects.create(row=row, phase="send", method="x", lease_token="0" * 32, started_at=now)
    platform = SmartCouponAccountFactory(name=f"{name}平台")
    platform.merchants.add(merchant)
    ConsumeReport.objects.create(coupon=coupon, account=platform, available_at=now)
    Notice.objects.get_or_create(
        incident=incident, target=world.alert_target, event=NoticeEvent.OPENED, defaults={"due_at": now}
    )
    original, replacement = issued(template), issued(template)
    Reissue.objects.create(original=original, replacement=replacement)
    app = PartnerApp.objects.create(name=f"{name}小程序")
    app.merchants.add(merchant)
    PartnerOrder.objects.create(
        app=app, actor=f"api:{name}小程序", coupon=coupon, merchant=merchant, order_id=f"{name}订单",
        order_date=local_day(now), paid_fen=1, saved_fen=1, began_at=now, state=OrderState.REFUSED,
    )  # fmt: skip
    address = WebhookEndpoint.objects.create(app=app, url=f"https://{host}/{name}", secret=new_secret(), events=[])
    told = WebhookDelivery.objects.create(
        endpoint=address, merchant=merchant, event=WebhookEvent.COUPON_ISSUED, coupon=coupon,
        payload=f'{{"identifier": "{mobile}"}}', available_at=now, give_up_at=now, created_at=now,
    )  # fmt: skip
    WebhookAttempt.objects.create(delivery=told, started_at=now, answer=f"{name}的回答")
    figures.merge()
    erasing.ask(CustomerFactory(merchant=merchant), reason="asked", asked_by="staff:test")
    return coupon


def one_of_what_is_nobodys(world: World) -> None:
    """One of each record that belongs to no merchant; after `one_of_everything`."""
    now = timezone.now()
    ReadsInFlight.objects.create(token=uuid.uuid4(), account=world.account, calls=1, until=now)
    SignatureSeen.objects.create(account=world.smart, signed_at=1, digest="0" * 64, seen_at=now)
    ReportLane.objects.get_or_create(account=world.smart)
    WebhookLane.objects.get_or_create(endpoint=WebhookEndpoint.objects.latest("pk"))
    run = Reconciliation.objects.latest("pk")
    CustomerAtRisk.objects.create(run=run, customer=world.coupon.customer)
    FailedSignIn.objects.create(username="someone", ip_address="203.0.113.9")
    SignInLock.objects.create(username="someone", ip_address="203.0.113.9", failures_since_start=9, attempt_time=now)
    someone = User.objects.create_user("someone")
    Authenticator.objects.create(user=someone, name="phone", confirmed=True)
    MerchantScope.objects.create(user=someone)
