"""No page of the admin loses a function to its Content-Security-Policy: everything that runs a script is used once, and
nothing offends.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import DESK, MARKS, Complaints, chromium, sign_in, window
from tests.e2e.portal import Portal

pytestmark = MARKS

_LINKS = "links => [...new Set(links.map(link => link.getAttribute('href').replace(/[?#].*/, '')))]"
_DRAWN = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"""


@pytest.fixture(scope="module")
def desk(portal: Portal, rows: dict[str, str]) -> Iterator[BrowserContext]:
    """A window in which an administrator has signed in."""
    with chromium() as browser:
        opened = window(browser, DESK, permissions=["clipboard-read", "clipboard-write"])
        sign_in(opened.new_page(), portal)
        yield opened


@pytest.fixture
def page(desk: BrowserContext) -> Iterator[Page]:
    """A page in it; nothing may be complained about at the end."""
    complaints = Complaints(desk)
    opened = desk.new_page()
    yield opened
    opened.close()
    assert complaints.heard == []


def test_every_page_of_the_menu_its_first_row_and_its_form_obey(portal: Portal, page: Page) -> None:
    page.goto(f"{portal.url}/admin/")
    found = [link for link in page.eval_on_selector_all("#nav-sidebar a[href^='/admin/']", _LINKS) if link]
    assert len(found) > 20
    for link in found:
        page.goto(portal.url + link)
        expect(page.locator("html[x-cloak]")).to_have_count(0)
        row = page.locator("#result_list tbody a[href*='/change/']")
        add = page.locator(f"#header-inner a[href='{link}add/']")
        further = [row.first.get_attribute("href")] if row.count() else []
        further += [f"{link}add/"] if add.count() else []
        for address in further:
            page.goto(f"{portal.url}{address}")
            expect(page.locator("html[x-cloak]")).to_have_count(0)


def test_the_chart_is_drawn_and_bars_have_their_width(portal: Portal, page: Page) -> None:
    page.goto(f"{portal.url}/admin/")
    expect(page.locator("canvas").first).to_be_visible()
    assert page.locator("canvas").first.evaluate(_DRAWN)
    assert page.locator(".portal-bar i").first.evaluate("bar => bar.style.width") != ""


def test_menus_searches_and_the_palette_work(portal: Portal, page: Page) -> None:
    page.goto(f"{portal.url}/admin/")
    page.locator("#nav-filter").click()
    page.keyboard.type("模板", delay=50)
    page.keyboard.press("End")
    expect(page.locator("#search-results").get_by_text("券模板").first).to_be_visible()
    page.goto(f"{portal.url}/admin/")
    page.keyboard.press("Control+k")
    expect(page.locator("#command-results")).to_be_attached()
    page.keyboard.type("模板", delay=50)
    page.keyboard.press("End")
    expect(page.locator("#command-results").get_by_text("券模板").first).to_be_visible()
    page.goto(f"{portal.url}/admin/")
    page.locator("[x-on\\:click*=openUserLinks]").last.click()
    page.locator("[x-on\\:click*='switchTheme(\\'dark\\')']").click()
    expect(page.locator("html.dark")).to_have_count(1)
    page.locator("[x-on\\:click*='switchTheme(\\'auto\\')']").click()
    expect(page.locator("html.dark")).to_have_count(0)


def test_forms_complete_open_calendars_and_related_windows(portal: Portal, page: Page) -> None:
    page.goto(f"{portal.url}/admin/coupons/coupontemplate/add/")
    page.locator(".select2-selection").first.click()
    page.locator(".select2-results__option").get_by_text("谷雨小馆").click()
    page.locator(".date-icon").first.click()
    page.locator(".calendarbox:visible td:not(.nonday) a").nth(9).click()
    expect(page.locator("[name=start_date]")).to_have_value(re.compile(r"\d{4}-\d\d-\d\d"))
    page.goto(f"{portal.url}/admin/merchants/shop/add/")
    page.get_by_text("more_vert").first.click()
    with page.expect_popup() as opened:
        page.locator("#add_id_merchant").click()
    opened.value.fill("[name=merchant_id]", f"popup{portal.visits}")
    opened.value.fill("[name=name]", "弹窗餐厅")
    opened.value.locator("[type=submit]").first.click()  # the window closes itself, and the form takes its row over
    expect(page.locator(".select2-selection").get_by_text("弹窗餐厅")).to_be_visible()


def test_files_leave_and_arrive(portal: Portal, page: Page, rows: dict[str, str]) -> None:
    page.goto(f"{portal.url}/admin/coupons/issuedcoupon/")
    page.locator("#header-inner").get_by_text("导出").first.click()
    with page.expect_download() as taken:
        page.locator("a[href*='export-csv']:visible").click()
    assert rows["code"].encode() in taken.value.path().read_bytes()
    page.goto(f"{portal.url}/admin/merchants/customer/by-file/")
    table = "手机号,openid\n13911112222,oAAAAAAAAAAAAAAAAAAAAAAAAAAA\n".encode()
    # Other tests have made more merchants.
    page.locator("form.portal-by-file [name=merchant]").select_option(label="谷雨小馆 (88)")
    page.set_input_files("input[type=file]", {"name": "顾客.csv", "mimeType": "text/csv", "buffer": table})
    page.locator("form.portal-by-file [type=submit]").first.click()
    page.wait_for_url(re.compile(r"/merchants/customerfile/\d+/"))
    expect(page.locator(".portal-by-file")).to_be_visible()  # what was found in it


def test_copying_and_choices_that_send_themselves(portal: Portal, page: Page, rows: dict[str, str]) -> None:
    page.goto(f"{portal.url}/admin/coupons/issuedcoupon/{rows['coupon']}/change/")
    page.locator("[data-copy]:visible").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == rows["code"]
    page.goto(f"{portal.url}/admin/integrations/partnerapp/{rows['app']}/console/")
    chooser = page.locator("select[data-sends-form]").first
    chooser.select_option(index=1)
    page.wait_for_url(re.compile(r"\?.*="))
    assert page.locator("select[data-sends-form]").first.input_value() != ""


def test_an_inline_script_would_not_run(portal: Portal, desk: BrowserContext) -> None:
    page = desk.new_page()
    page.goto(f"{portal.url}/admin/")
    page.evaluate("""() => {
        document.body.insertAdjacentHTML("beforeend", "<img src='x:' onerror='window.ran = true'>");
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        const other = document.createElement("script");
        other.src = "https://evil.example/x.js";
        document.body.append(other);
    }""")
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None
    page.close()
