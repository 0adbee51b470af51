"""A working day of a member of marketing staff, in a real browser: at a desk and on a telephone, in Chinese.

A template is made, published and issued by a file with bad rows; a customer is bound, redeems at a till, and asks why
the coupon is used up; the rest is recalled. Every step is done as staff do it: by what is written on the page.
"""

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import MARKS, PATIENCE, Complaints, bar, marketing, sign_in
from tests.e2e.portal import MOBILE, Portal, until

pytestmark = MARKS

SHANGHAI = ZoneInfo("Asia/Shanghai")
GOOD, BAD = 493, 7
DONE = "已完成"
REASONS = {
    "手机号格式不对：应为 11 位数字且以 1 开头。": 2,
    "同一位顾客在前面已出现。": 2,
    "超过 128 个字符，不是有效的顾客。": 1,
    "含有无法显示的字符。": 1,
    "该顾客已达到每人限领数量。": 1,
}


@dataclass
class Day:
    """The member of staff at work, and what came of it so far."""

    portal: Portal
    page: Page
    run: int
    title: str = ""
    template: str = ""  # addresses
    batch: str = ""
    coupon: str = ""
    code: str = ""
    customers: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Go to a page of the admin."""
        self.page.goto(f"{self.portal.url}{address}")

    def press(self, name: str) -> None:
        """Press one of the buttons in the page's head, which hide behind "more" on a telephone."""
        head = self.page.locator("#header-inner")
        button = head.get_by_role("link", name=name, exact=True)
        more = head.get_by_role("link", name="更多", exact=True)
        expect(button.or_(more).locator("visible=true").first).to_be_visible()
        if not button.is_visible():
            more.click()
        button.click()

    def ask(self, name: str, submit: str, **typed: str) -> None:
        """Press a button that asks first, and say yes."""
        self.press(name)
        dialog = self.page.get_by_role("dialog")
        for named, value in typed.items():
            dialog.locator(f"[name={named}]").fill(value)
        dialog.get_by_role("button", name=submit, exact=True).click()

    def address(self) -> str:
        """Where the browser is."""
        return urlsplit(self.page.url).path


def test_a_day_of_marketing(portal: Portal, context: BrowserContext) -> None:
    complaints = Complaints(context)
    portal.visits += 1
    day = Day(portal, context.new_page(), portal.visits)
    sign_in(day.page, portal, name=marketing(portal))
    a_template_is_made_and_published(day)
    one_coupon_is_issued(day)
    a_file_is_checked(day)
    the_batch_is_issued(day)
    the_failed_rows_are_downloaded(day)
    a_customer_is_bound(day)
    the_coupon_is_redeemed_at_the_till(day, context)
    its_page_tells_the_story(day)
    it_is_asked_why(day)
    the_settlement_has_it(day)
    the_rest_is_recalled(day)
    assert complaints.heard == []


def a_template_is_made_and_published(day: Day) -> None:
    page, today = day.page, datetime.now(SHANGHAI)
    day.title = f"国庆满50减10 {day.run}"
    day.open("/admin/coupons/coupontemplate/add/")
    page.fill("[name=title]", day.title)
    page.select_option("[name=kind]", "cash")
    page.fill("[name=amount]", "10")
    page.fill("[name=min_spend]", "50")
    page.fill("[name=start_date]", f"{today:%Y-%m-%d}")
    page.fill("[name=end_date]", f"{today + timedelta(days=30):%Y-%m-%d}")
    page.fill("[name=per_person_limit]", "1")
    page.fill("[name=stock]", "1000")
    page.get_by_role("button", name="保存并继续编辑").click()
    expect(page.get_by_text("草稿").first).to_be_visible()
    day.template = day.address()
    day.ask("发布", "发布")
    expect(page.get_by_text("已发布").first).to_be_visible()


def one_coupon_is_issued(day: Day) -> None:
    day.ask("发券", "发放", customer=MOBILE)
    expect(day.page).to_have_url(re.compile("/issuedcoupon/"))


def a_file_is_checked(day: Day) -> None:
    page = day.page
    day.customers = [f"15{day.run:03d}{number:06d}" for number in range(GOOD)]
    day.open(day.template)
    day.press("批量发券")
    page.set_input_files(
        "[name=file]", {"name": "国庆名单.csv", "mimeType": "text/csv", "buffer": the_file(day).encode("gb18030")}
    )
    page.get_by_role("button", name="检查名单").click()
    expect(page.locator(".portal-found")).to_be_visible()
    day.batch = day.address()
    found = page.locator(".portal-found")
    expect(found).to_contain_text(str(GOOD))
    for words, count in REASONS.items():
        expect(found.get_by_role("row", name=f"{words} {count}", exact=True)).to_be_visible()
    assert sum(REASONS.values()) == BAD


def the_file(day: Day) -> str:
    """The file's text: the good customers with a bad row here and there."""
    rows = [*day.customers]
    for place, text in zip(range(40, GOOD, 70), bad_rows(day), strict=False):
        rows.insert(place, text)
    assert len(rows) == GOOD + BAD
    return "".join(f"{row}\r\n" for row in rows)


def bad_rows(day: Day) -> list[str]:
    """The seven rows that nobody can be given a coupon by."""
    first, second = day.customers[:2]
    return ["1390000000", "139000000001", first, second, "太长" * 70, "王\u2028小明", MOBILE]


def the_batch_is_issued(day: Day) -> None:
    page = day.page
    seen: list[float] = []
    day.ask("开始", "发放")
    until(lambda: seen.append(bar(page)) or seen[-1] == 100, seconds=PATIENCE / 1000)
    expect(page.get_by_text(DONE).first).to_be_visible()
    assert len(set(seen)) > 1, "the bar has not moved"


def the_failed_rows_are_downloaded(day: Day) -> None:
    with day.page.expect_download() as begun:
        day.press("下载未发名单")
    text = Path(begun.value.path()).read_text("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["顾客", "原因", "行"]
    assert [row[0] for row in rows] == [text[:128] for text in bad_rows(day)]
    assert {reason: sum(row[1] == reason for row in rows) for reason in REASONS} == REASONS
    lines = the_file(day).split("\r\n")
    assert [lines[int(row[2]) - 1] for row in rows] == bad_rows(day)


def a_customer_is_bound(day: Day) -> None:
    page, mobile = day.page, day.customers[7]
    day.open(f"/admin/merchants/customer/?q={mobile}")
    page.get_by_role("link", name=re.compile(mobile[-4:])).first.click()
    page.fill("[name=openid]", f"o3Pm6uD6KVk{mobile}")
    page.get_by_role("button", name="保存", exact=True).click()
    day.open(f"/admin/coupons/issuedcoupon/?q={mobile}")
    link = page.get_by_role("link", name=re.compile(r"\d{4}.*\d{4}")).first
    link.click()
    found = re.search(r"\b\d{16}\b", re.sub(r"(?<=\d{4}) (?=\d{4})", "", page.inner_text("main, body")))
    assert found, page.inner_text("body")
    day.code, day.coupon = found[0], day.address()
    until(lambda: day.portal.held(day.code), seconds=PATIENCE / 1000)
    page.reload()
    expect(page.get_by_text("已送达").first).to_be_visible()


def the_coupon_is_redeemed_at_the_till(day: Day, context: BrowserContext) -> None:
    till = context.new_page()
    till.goto(f"{day.portal.sandbox_url}/till")
    till.get_by_label("券码").fill(day.code)
    till.keyboard.press("Enter")
    till.get_by_role("button", name="核销", exact=True).click()
    expect(till.get_by_text("操作成功")).to_be_visible()
    till.close()


def its_page_tells_the_story(day: Day) -> None:
    day.open(day.coupon)
    told = day.page.locator("body").inner_text()
    for words in ("已发放", "等待顾客绑定", "已送达", "已核销"):
        assert words in told, told


def in_groups(code: str) -> str:
    """A pattern for the code, with or without spaces between its groups of four."""
    return r"\s?".join(re.findall("....", code))


def it_is_asked_why(day: Day) -> None:
    page = day.page
    day.press("为什么用不了？")
    expect(page.get_by_role("heading", name="不能使用")).to_be_visible()
    expect(page.get_by_text(re.compile("已于 .* 核销")).first).to_be_visible()
    page.locator(".portal-languages").get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="It cannot be used")).to_be_visible()
    expect(page.get_by_text(re.compile("It was redeemed")).first).to_be_visible()
    page.locator(".portal-languages").get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="不能使用")).to_be_visible()


def the_settlement_has_it(day: Day) -> None:
    page = day.page
    today = datetime.now(SHANGHAI).date().isoformat()
    day.open(f"/admin/settlement/?first={today}&last={today}&by=shop_day")
    line = page.get_by_role("row", name=re.compile(today))
    line.get_by_role("link").locator("visible=true").first.click()
    expect(page).to_have_url(re.compile("/issuedcoupon/"))
    expect(page.get_by_text(re.compile(in_groups(day.code))).first).to_be_visible()


def the_rest_is_recalled(day: Day) -> None:
    page = day.page
    day.open(day.batch)
    day.ask("撤回", "撤回", reason="名单有误")
    expect(page).not_to_have_url(re.compile(re.escape(day.batch)))
    until(lambda: bar(page) == 100, seconds=3 * PATIENCE / 1000)
    expect(page.get_by_text(DONE).first).to_be_visible()
    expect(page.get_by_text(re.compile(str(GOOD - 1))).first).to_be_visible()
    day.open(day.coupon)
    expect(page.get_by_text("已核销").first).to_be_visible()
