"""One portal for all end-to-end tests: they leave it as they found it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from tests.e2e.browsing import DESK, TELEPHONE, chromium, window
from tests.e2e.portal import MOBILE, Portal, until

_NAMES = ("template", "customer", "coupon", "code", "batch", "row", "app", "endpoint")
_ROWS = """
from coupons import batches, issuing, templates
from coupons.choices import Source
from coupons.issuing import Through
from coupons.models import CouponTemplate
from merchants.clock import local_day
from merchants.models import Customer, Merchant
from django.utils import timezone
from integrations.models import PartnerApp, WebhookEndpoint
from integrations.models.partners import Scope
from integrations.webhooks import signing
merchant, today = Merchant.objects.get(merchant_id="88"), local_day(timezone.now())
template = CouponTemplate.objects.create(
    merchant=merchant, title="无障碍券", kind="cash", amount_fen=1000, min_spend_fen=5000, start_date=today,
    end_date=today, stock=100, budget_fen=10000, cost_each_fen=1000)
templates.publish(template)
template.refresh_from_db()
customer = Customer.objects.get(merchant=merchant, mobile="{mobile}")
coupon = issuing.issue(template=template, customer=customer, through=Through(source=Source.STAFF, actor="staff:e2e"))
batch = batches.begin_issue(template, "13800000001\\n138000\\n1380000000", name="名单")
app = PartnerApp.objects.create(name="小程序", scopes=list(Scope.values))
app.merchants.add(merchant)
endpoint = WebhookEndpoint.objects.create(
    app=app, url="https://partner.example/events", secret=signing.new_secret(), events=["template.ended"])
print("ids", template.pk, customer.pk, coupon.pk, coupon.code, batch.pk, coupon.outbox.get().pk,
      app.pk, endpoint.pk)
"""


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """The running portal."""
    running = Portal()
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(params=[DESK, TELEPHONE])
def context(request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser window as wide as a desk's screen, and one as wide as a telephone's."""
    with chromium() as browser:
        yield window(browser, request.param)


@pytest.fixture(scope="session")
def rows(portal: Portal) -> dict[str, str]:
    """A template, a coupon and a batch that there is something to see of."""
    printed = portal.manage("shell", "-c", _ROWS.format(mobile=MOBILE))
    found = re.search(r"ids" + r" (\d+)" * len(_NAMES), printed)
    assert found, printed
    made = dict(zip(_NAMES, found.groups(), strict=True))
    until(lambda: portal.held(made["code"]), seconds=30)
    return made
