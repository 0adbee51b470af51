"""The loop as a newcomer sees it, in a real browser, in Chinese: push on the platform's page, redeem, look."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Response, expect, sync_playwright

from tests.e2e.portal import Portal, until

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "korrekt-Pferd-9"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's Chromium: apt-get install chromium"),
]


class Complaints:
    """What a page should never do: log an error, fail to load something, ask another machine."""

    def __init__(self, context: BrowserContext) -> None:
        self.heard: list[str] = []
        context.on("console", lambda message: message.type == "error" and self.heard.append(message.text))
        context.on("weberror", lambda error: self.heard.append(str(error.error)))
        context.on("response", self._refused)
        context.on("request", lambda request: self._local(request.url))

    def _refused(self, answer: Response) -> None:
        if answer.status >= 400:
            self.heard.append(f"{answer.status} {answer.url}")

    def _local(self, url: str) -> None:
        if urlsplit(url).hostname not in ("127.0.0.1", None):
            self.heard.append(f"asked {url}")


@pytest.fixture(params=[1440, 390])
def context(request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser window as wide as a desk's screen, and one as wide as a telephone's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser.new_context(viewport={"width": request.param, "height": 900}, locale="zh-CN")
        browser.close()


def sign_in(page: Page, portal: Portal) -> None:
    """As an administrator made for this visit."""
    name = f"visitor{portal.visits}"
    portal.visits += 1
    portal.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    portal.manage("createsuperuser", "--noinput", "--username", name, "--email", "")
    page.goto(f"{portal.url}/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{portal.url}/admin/")


def test_a_newcomer_pushes_redeems_and_reads_the_history(portal: Portal, context: BrowserContext) -> None:
    complaints = Complaints(context)
    admin, outside = context.new_page(), context.new_page()
    sign_in(admin, portal)

    outside.goto(f"{portal.sandbox_url}/platform")
    outside.get_by_label("优惠券名称").fill(f"新客券{portal.visits}")
    outside.get_by_role("button", name="推送", exact=True).first.click()
    expect(outside.get_by_text("coupon_id").first).to_be_visible()
    outside.get_by_role("button", name="推送", exact=True).nth(1).click()
    found = re.search(r"\b\d{16}\b", outside.inner_text("body"))
    assert found, outside.inner_text("body")
    code = found[0]

    until(lambda: portal.held(code), seconds=30)
    outside.goto(f"{portal.sandbox_url}/till")
    expect(outside.get_by_label("券码")).to_be_focused()  # a scanner types blindly
    outside.keyboard.type(code)
    outside.keyboard.press("Enter")
    outside.get_by_role("button", name="核销", exact=True).click()
    expect(outside.get_by_text("操作成功")).to_be_visible()

    admin.goto(f"{portal.url}/admin/coupons/issuedcoupon/?q={code}")
    admin.get_by_role("link", name=code).first.click()
    expect(admin.get_by_text("已核销").first).to_be_visible()
    expect(admin.get_by_text("dfire.shop.deliver.promotion").first).to_be_visible()
    assert complaints.heard == []


def test_the_language_switches_and_stays_switched(portal: Portal, context: BrowserContext) -> None:
    complaints = Complaints(context)
    page = context.new_page()
    sign_in(page, portal)
    expect(page.get_by_text("券模板").first).to_be_attached()
    page.get_by_text("English", exact=True).first.click()
    expect(page.get_by_text("Coupon templates").first).to_be_attached()
    page.goto(f"{portal.url}/admin/coupons/coupontemplate/add/")
    expect(page.get_by_text("Start date").first).to_be_visible()
    assert complaints.heard == []
