"""What the tests in a real browser share: the browser, what a page should never do, and who sits before it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Response, expect, sync_playwright

from tests.e2e.portal import Portal

CHROMIUM = Path("/usr/bin/chromium")
DESK, TELEPHONE = 1440, 390  # pixels wide
PATIENCE = 30_000  # milliseconds: so long a page or a worker may take on a busy machine
PERCENT = "() => Number(document.querySelector('#batch-progress progress')?.getAttribute('value') ?? -1)"
PASSWORD = "korrekt-Pferd-9"

expect.set_options(timeout=PATIENCE)

MARKS = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's Chromium: apt-get install chromium"),
]

_STAFF = """
from django.contrib.auth.models import Permission, User
from merchants.models import Merchant, MerchantScope
user = User.objects.create_user({name!r}, password={password!r}, is_staff=True, last_name="李", first_name="丽")
ours = Permission.objects.filter(content_type__app_label__in=["merchants", "coupons", "integrations"])
user.user_permissions.set(ours)
MerchantScope.objects.create(user=user).merchants.set(Merchant.objects.filter(merchant_id="88"))
"""


# Chromium does not log every offence against a page's Content-Security-Policy; the event tells of all.
_OFFENCES = """
document.addEventListener("securitypolicyviolation", (event) => console.error(
    `policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`));
"""


class Complaints:
    """What a page should never do: log an error, offend against its policy, fail to load something, ask another
    machine.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.heard: list[str] = []
        context.add_init_script(_OFFENCES)
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


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


def window(browser: Browser, width: int, **options: Any) -> BrowserContext:
    """A window of this width of someone in Shanghai, in which Chinese is preferred."""
    return browser.new_context(
        viewport={"width": width, "height": 900}, **{"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options}
    )


def sign_in(page: Page, portal: Portal, *, name: str = "") -> str:
    """As an administrator made for this visit, or as `name`; returns who it was."""
    if not name:
        name = f"visitor{portal.visits}"
        portal.visits += 1
        portal.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
        portal.manage("createsuperuser", "--noinput", "--username", name, "--email", "")
    page.goto(f"{portal.url}/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{portal.url}/admin/")
    return name


def marketing(portal: Portal) -> str:
    """A member of marketing staff: every right of ours at merchant 88 alone, and no administrator."""
    name = f"lili{portal.visits}"
    portal.visits += 1
    portal.manage("shell", "-c", _STAFF.format(name=name, password=PASSWORD))
    return name


def bar(page: Page) -> float:
    """How far the bar on the page is, in per cent; -1 while the browser fetches the page."""
    try:
        return float(page.evaluate(PERCENT))
    except Error:
        return -1
