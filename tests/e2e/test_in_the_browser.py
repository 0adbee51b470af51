"""The loop as a newcomer sees it, in a real browser, in Chinese: push on the platform's page, redeem, look."""

import re

from playwright.sync_api import BrowserContext, expect

from tests.e2e.browsing import MARKS, Complaints, sign_in
from tests.e2e.portal import Portal, until

pytestmark = MARKS


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
