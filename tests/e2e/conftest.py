"""One portal for all end-to-end tests: they leave it as they found it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from tests.e2e.browsing import DESK, TELEPHONE, chromium, window
from tests.e2e.portal import Portal


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """The running portal."""
    running = Portal()
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(params=[DESK, TELEPHONE])
def context(request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser window as wide as a desk's screen, and one as wide as a telephone's."""
    with chromium() as browser:
        yield window(browser, request.param)
