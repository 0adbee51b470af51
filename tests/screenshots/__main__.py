"""Takes the pictures of `docs/images/`: six at a desk's width, in Chinese, and those of how a platform is connected.

`connecting` as an argument takes the latter alone.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from config.embedded.places import CHECKOUT
from config.tooling.terminal import say
from tests.e2e.browsing import CHROMIUM, DESK, PATIENCE, bar, chromium, marketing, sign_in, window
from tests.e2e.portal import MOBILE, until
from tests.screenshots import connecting
from tests.screenshots.portal import Photographed

FOLDER = CHECKOUT / "docs" / "images"
MOST_BYTES = 300_000
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Photographer:
    """Goes through the portal as a member of marketing staff and takes the pictures."""

    def __init__(self, portal: Photographed, page: Page, till: Page) -> None:
        self.portal, self.page, self.till = portal, page, till

    def take(self, name: str, height: int) -> None:
        """One picture of what the window shows at this height (pixels)."""
        self.page.set_viewport_size({"width": DESK, "height": height})
        self.page.mouse.move(DESK - 1, height - 1)
        self.page.wait_for_timeout(1500)  # charts and menus come to rest
        picture = self.page.screenshot(path=FOLDER / f"{name}.png")
        say(f"{name}.png: {len(picture) // 1000} kB")
        assert len(picture) < MOST_BYTES, f"{name}.png is larger than {MOST_BYTES} bytes"

    def open(self, address: str) -> None:
        """Go to a page of the admin."""
        self.page.goto(f"{self.portal.url}/admin/{address}")
        expect(self.page.locator("html[x-cloak]")).to_have_count(0)

    def coupon(self) -> None:
        """Issued, delivered, redeemed: the page of a coupon with its timeline."""
        code = self.portal.issue("welcome-10", MOBILE)
        self.till.goto(f"{self.portal.sandbox_url}/till?code={code}")
        self.till.get_by_role("button", name="核销", exact=True).click()
        expect(self.till.get_by_text("操作成功")).to_be_visible()
        self.open(f"coupons/issuedcoupon/?q={code}")
        self.page.locator("#result_list a").first.click()
        self.take("coupon", 1750)

    def why(self) -> None:
        """A coupon for lunch on workdays, asked about on a Saturday evening."""
        code = self.portal.issue("lunch-88", "13900139000")
        today = datetime.now(SHANGHAI)
        saturday = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
        asked = f"code={code}&at={saturday:%Y-%m-%d}T19:30&amount=168&channel=take_away"
        self.open(f"coupons/issuedcoupon/why/?{asked}")
        self.take("why", 1150)

    def home(self) -> None:
        """The first page with a month on it."""
        self.open("")
        self.page.get_by_role("link", name="近30天").click()
        self.take("home", 1150)

    def template(self) -> None:
        """The form with what the customer sees beside it."""
        today = datetime.now(SHANGHAI)
        self.open("coupons/coupontemplate/add/")
        for name, value in {
            "title": "周末满150减30",
            "notice": "不与其他优惠同享，酒水除外。",
            "amount": "30",
            "min_spend": "150",
            "start_date": f"{today:%Y-%m-%d}",
            "end_date": f"{today + timedelta(days=45):%Y-%m-%d}",
        }.items():
            self.page.fill(f"[name={name}]", value)
        for day in ("6", "7"):
            self.page.locator(f"[name=use_weekdays][value='{day}']").check(force=True)
        self.page.fill("[name=stock]", "2000")
        self.page.locator("[name=stock]").blur()
        expect(self.page.locator(".portal-preview").get_by_role("heading", name="周末满150减30")).to_be_visible()
        self.page.evaluate("window.scrollTo(0, 0)")
        self.take("template", 1300)

    def batch(self) -> None:
        """Issuing to thousands, half way."""
        self.open("coupons/coupontemplate/")
        self.page.locator("#result_list").get_by_role("link", name="满50减10 welcome-10").click()
        self.page.locator("#header-inner").get_by_role("link", name="批量发券", exact=True).click()
        rows = [*(f"151{number * 11:08d}" for number in range(6000)), "1510000", "15100000011", "15100000022"]
        file = {"name": "国庆会员名单.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
        self.page.set_input_files("[name=file]", file)  # type: ignore[arg-type]
        self.page.get_by_role("button", name="检查名单").click()
        expect(self.page.locator(".portal-found")).to_be_visible()
        self.page.set_viewport_size({"width": DESK, "height": 950})
        self.page.locator("#header-inner").get_by_role("link", name="开始", exact=True).click()
        self.page.get_by_role("dialog").get_by_role("button", name="发放", exact=True).click()
        until(lambda: bar(self.page) > 30, seconds=PATIENCE / 1000)
        self.take("batch", 950)

    def settlement(self) -> None:
        """Redemptions of the last thirty days, by shop and day."""
        today = datetime.now(SHANGHAI).date()
        self.open(f"settlement/?first={today - timedelta(days=30)}&last={today}")
        self.take("settlement", 1050)


def main() -> None:
    """Take all pictures."""
    if not Path(CHROMIUM).exists():
        raise SystemExit("Pictures need Debian's Chromium: apt-get install -y chromium fonts-noto-cjk")
    FOLDER.mkdir(parents=True, exist_ok=True)
    say("Bringing up a portal with a month of life ...")
    portal = Photographed()
    try:
        portal.up()
        with chromium() as browser:
            if "connecting" not in sys.argv:
                context = window(browser, DESK)
                one = Photographer(portal, context.new_page(), context.new_page())
                sign_in(one.page, portal, name=marketing(portal))
                scenes: list[Callable[[], None]] = [
                    *(one.coupon, one.why, one.home, one.template, one.settlement, one.batch)
                ]
                for scene in scenes:
                    scene()
            connecting.live(portal)
            for picture in connecting.take(browser, portal, FOLDER):
                say(f"{picture.name}: {picture.stat().st_size // 1000} kB")
    finally:
        portal.down()


if __name__ == "__main__":
    main()
