"""/api/docs/ in a real browser: Swagger UI from our own files, which asks nobody else and complains of nothing."""

from playwright.sync_api import BrowserContext, expect

from tests.e2e.browsing import MARKS, Complaints
from tests.e2e.portal import Portal

pytestmark = MARKS


def test_the_page_shows_every_call_and_asks_no_other_machine(portal: Portal, context: BrowserContext) -> None:
    complaints = Complaints(context)
    page = context.new_page()
    page.goto(f"{portal.url}/api/docs/")
    expect(page.get_by_role("heading", name="Coupon portal: partner API")).to_be_visible()
    expect(page.locator(".opblock-summary-path", has_text="/redeem/")).to_be_visible()
    page.locator(".opblock-summary-path", has_text="/redeem/").click()
    expect(page.get_by_text("order_id", exact=False).first).to_be_visible()
    assert complaints.heard == []
