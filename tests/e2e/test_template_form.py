"""A template entered from the keyboard alone, with the card beside the form changing as one types."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import MARKS, Complaints, sign_in
from tests.e2e.portal import Portal

pytestmark = MARKS


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_pickers_need_no_mouse_and_the_card_follows(portal: Portal, context: BrowserContext) -> None:
    complaints = Complaints(context)
    page = context.new_page()
    sign_in(page, portal)
    page.goto(f"{portal.url}/admin/coupons/coupontemplate/add/")
    title = f"键盘券{portal.visits}"
    page.fill("[name=title]", title)
    page.select_option("[name=kind]", "dish_cash")
    page.fill("[name=amount]", "20")
    page.fill("[name=min_spend]", "100")
    page.fill("[name=start_date]", "2030-01-01")
    page.fill("[name=end_date]", "2030-12-31")
    card = page.locator(".portal-preview")
    expect(card.get_by_role("heading", name=title)).to_be_visible()
    expect(card.locator(".portal-voucher-value strong")).to_have_text(re.compile("20"))

    page.locator("[data-next-tag]").focus()
    page.keyboard.type("M1")
    press(page, "Enter")
    page.keyboard.type("M2，M3")
    press(page, "Enter")
    expect(page.locator("[data-tag] [data-text]")).to_have_text(["M1", "M2", "M3"])
    press(page, "Backspace")
    expect(page.locator("[data-tag]")).to_have_count(2)

    page.locator("[name=use_weekdays]").first.focus()
    press(page, "Space", "Tab", "Space", "Tab", "Space")
    hours = page.locator("[data-portal-rows]").first
    hours.locator("[data-add-row]").focus()
    press(page, "Enter")  # the new row's first input has the focus now
    expect(hours.locator("[name=use_times_from]").nth(1)).to_be_focused()
    hours.locator("[name=use_times_from]").nth(1).fill("17:00")
    hours.locator("[name=use_times_to]").nth(1).fill("21:00")
    hours.locator("[data-remove-row]").first.focus()
    press(page, "Enter")
    expect(hours.locator("[data-row]")).to_have_count(1)
    expect(card.get_by_text(re.compile("17:00–21:00"))).to_be_visible()

    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0
    page.locator("[name=_continue]").click()
    expect(page.locator("[data-tag] [data-text]")).to_have_text(["M1", "M2"])
    expect(page.locator("[name=use_weekdays]:checked")).to_have_count(3)
    expect(page.locator("[name=use_times_from]")).to_have_value("17:00")
    assert complaints.heard == []
