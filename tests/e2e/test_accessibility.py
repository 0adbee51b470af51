"""No page of ours keeps anybody out: axe-core finds nothing serious or critical on any of them, at a desk and on a
telephone, in the light and in the dark theme, with dialogs open and menus unfolded.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from config.tooling import axe
from tests.e2e.browsing import DESK, MARKS, Complaints, chromium, marketing, sign_in, window
from tests.e2e.portal import Portal

pytestmark = [*MARKS, pytest.mark.skipif(not axe.ensure(), reason="axe-core could not be fetched from npm's registry")]

# Unfold's own markup that neither our templates nor our styles reach: rule, what its selector begins with, why.
ALLOWED: list[tuple[str, str, str]] = []
GRAVE = ("serious", "critical")

PAGES = [
    "",
    "coupons/coupontemplate/",
    "coupons/coupontemplate/add/",
    "coupons/coupontemplate/{template}/change/",
    "coupons/coupontemplate/{template}/issue-many/",
    "coupons/issuedcoupon/",
    "coupons/issuedcoupon/?q=nobody",
    "coupons/issuedcoupon/{coupon}/change/",
    "coupons/issuedcoupon/why/",
    "coupons/issuedcoupon/why/?code={code}",
    "coupons/batch/",
    "coupons/batch/{batch}/change/",
    "coupons/batchrow/?batch__id__exact={batch}",
    "merchants/customer/",
    "merchants/customer/{customer}/change/",
    "merchants/customer/add/",
    "merchants/customer/by-file/",
    "merchants/merchant/",
    "settlement/",
    "settlement/budgets/",
    "integrations/outboxrow/",
    "integrations/outboxrow/{row}/change/",
    "integrations/dfirecallback/",
    "integrations/reconciliation/",
    "integrations/incident/",
    "integrations/push/",
    "integrations/consumereport/",
]
ADMINISTRATORS_PAGES = [
    "integrations/partnerapp/",
    "integrations/partnerapp/{app}/change/",
    "integrations/partnerapp/{app}/console/",
    "integrations/webhookendpoint/add/?app={app}",
    "integrations/webhookendpoint/{endpoint}/change/",
    "integrations/webhookdelivery/",
    "integrations/apicall/",
    "integrations/apicall/signatures/",
    "integrations/apikey/",
    "integrations/partnerorder/",
    "auth/user/",
    "auth/user/add/",
    "auth/group/",
    "merchants/signin/",
    "merchants/signinlock/",
    "two-factor/",
    "two-factor/set-up/",
]
DARK = ["", "coupons/issuedcoupon/{coupon}/change/", "coupons/issuedcoupon/why/?code={code}"]
DIALOGS = [
    ("coupons/coupontemplate/{template}/change/", "发券"),
    ("coupons/issuedcoupon/{coupon}/change/", "撤销"),
    ("coupons/batch/{batch}/change/", "取消任务"),
]


@pytest.fixture
def page(portal: Portal, context: BrowserContext) -> Iterator[Page]:
    """Where a member of marketing staff has signed in; nothing may be complained about at the end."""
    complaints = Complaints(context)
    opened = context.new_page()
    sign_in(opened, portal, name=marketing(portal))
    yield opened
    assert complaints.heard == []


def findings(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands: rule, where, and why it says so."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe.SCRIPT.read_text())  # not as a script of the page: its policy would refuse one
    answer: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    found = []
    for rule in answer["violations"]:
        for node in rule["nodes"]:
            target = " ".join(str(part) for part in node["target"])
            allowed = any(rule["id"] == name and target.startswith(start) for name, start, _why in ALLOWED)
            if node["impact"] in GRAVE and not allowed:
                why = node["failureSummary"].splitlines()[1].strip()
                found.append(f"{rule['id']}: {target}: {why} {node['html'][:160]}")
    return found


def settled(page: Page) -> None:
    """Wait until Alpine has shown the page; what fades in has no colours of its own meanwhile."""
    expect(page.locator("html[x-cloak]")).to_have_count(0)
    page.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))")


def test_pages_keep_nobody_out(portal: Portal, page: Page, rows: dict[str, str]) -> None:
    found = {}
    for address in PAGES:
        page.goto(f"{portal.url}/admin/{address.format(**rows)}")
        settled(page)
        if here := findings(page):
            found[address] = here
    assert found == {}


def test_pages_of_administrators_keep_nobody_out(portal: Portal, context: BrowserContext, rows: dict[str, str]) -> None:
    complaints, found = Complaints(context), {}
    page = context.new_page()
    sign_in(page, portal)
    for address in ADMINISTRATORS_PAGES:
        page.goto(f"{portal.url}/admin/{address.format(**rows)}")
        settled(page)
        if here := findings(page):
            found[address] = here
    assert found == {}
    assert complaints.heard == []


def test_dialogs_and_menus_keep_nobody_out(portal: Portal, page: Page, rows: dict[str, str]) -> None:
    found = {}
    for address, name in DIALOGS:
        page.goto(f"{portal.url}/admin/{address.format(**rows)}")
        settled(page)
        head = page.locator("#header-inner")
        button = head.get_by_role("link", name=name, exact=True)
        more = head.get_by_role("link", name="更多", exact=True)
        if not button.is_visible():
            more.first.click()
        button.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        settled(page)
        if here := findings(page):
            found[name] = here
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
    assert found == {}


def test_the_dark_theme_keeps_nobody_out(portal: Portal, rows: dict[str, str]) -> None:
    found = {}
    with chromium() as browser:
        context = window(browser, DESK, color_scheme="dark")
        page = context.new_page()
        sign_in(page, portal, name=marketing(portal))
        for address in DARK:
            page.goto(f"{portal.url}/admin/{address.format(**rows)}")
            expect(page.locator("html.dark")).to_have_count(1)
            settled(page)
            if here := findings(page):
                found[address] = here
    assert found == {}


def test_signing_in_keeps_nobody_out(portal: Portal, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{portal.url}/admin/login/")
    settled(page)
    assert findings(page) == []
    page.fill("[name=username]", "nobody")
    page.fill("[name=password]", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("正确的")).first).to_be_visible()
    settled(page)
    assert findings(page) == []
