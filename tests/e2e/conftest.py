"""One portal for all end-to-end tests: they leave it as they found it."""

from collections.abc import Iterator

import pytest

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
