"""The pictures of docs/connect-platform.md and .zh.md: an account's page, in each of the two languages."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browsing import sign_in, window
from tests.e2e.portal import MOBILE
from tests.screenshots.portal import Photographed

WIDTH, HEIGHT = 1280, 640
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
SHANGHAI = ZoneInfo("Asia/Shanghai")


def live(portal: Photographed) -> None:
    """The platform makes two coupons, gives some, repeats a push and sends one that is refused; one is redeemed."""
    now = datetime.now(SHANGHAI)
    today, end = f"{now:%Y-%m-%d} 00:00:00", f"{now + timedelta(days=30):%Y-%m-%d} 23:59:59"
    worth: dict[str, Any] = {"merchant_id": "88", "coupon_type": 0, "coupon_amount": 10}
    rule = {"coupon_name": "会员回访满50减10", "min_buy_price": 50, "expiration_type": 1, "expiration_time": end}
    first = portal.push("coupon", {**worth, **rule}).json()["result"]["coupon_id"]
    to = {"merchant_id": "88", "coupon_id": first, "identifier": MOBILE, "expiration_time": end}
    portal.redeem(portal.push("coupon-detail", to).json()["result"]["coupon_detail_id"])
    worth["min_purchase_price"] = 50
    campaign = {
        "campaign_name": "生日礼券", "campaign_notice": "生日当月可用。", "coupon_limit": 500,
        "campaign_start_time": today, "campaign_end_time": end, "expiration_interval": 15,
    }  # fmt: skip
    second = portal.push("coupon", {**worth, **campaign}).json()["campaign_id"]
    given = {**worth, "campaign_id": second, "customer_identifier": MOBILE, "expiration_time": end}
    for change in ({}, {}, {"coupon_amount": 12}, {"expiration_time": today}):
        portal.push("coupon-detail", {**given, **change})


def take(browser: Browser, portal: Photographed, folder: Path) -> list[Path]:
    """All of them; returns where they are."""
    name, taken = "", []
    for language, locale in LANGUAGES.items():
        context = window(browser, WIDTH, locale=locale)
        page = context.new_page()
        name = sign_in(page, portal, name=name)
        page.goto(f"{portal.url}/admin/merchants/smartcouponaccount/")
        page.get_by_role("link", name="maxfun", exact=True).click()
        expect(page.locator("html[x-cloak]")).to_have_count(0)
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        page.wait_for_timeout(500)
        # the bar with the buttons to save would lie over what is shown
        page.locator("#submit-row, .submit-row").evaluate_all(
            "bars => bars.forEach(bar => bar.style.visibility = 'hidden')"
        )
        for subject, part in _parts(page).items():
            path = folder / f"connect-{subject}.{language}.png"
            (page if part is None else part).screenshot(path=path)
            taken.append(path)
        context.close()
    return taken


def _parts(page: Page) -> dict[str, Locator | None]:
    """What each picture shows; None is what the window shows first."""

    def block(inside: str) -> Locator:
        return page.locator("fieldset.module", has=page.locator(inside))

    return {"addresses": None, "reports": block("[name=app_id]"), "pushes": block(".portal-pushes")}
