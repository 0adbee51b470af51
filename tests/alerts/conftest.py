"""Places where notices arrive, and targets that lead there."""

from collections.abc import Iterator

import pytest

from integrations.models import AlertTarget
from tests.alerts.receivers import Mailbox, Web, mail_server, web_server


@pytest.fixture
def web() -> Iterator[Web]:
    """An HTTP server."""
    with web_server() as server:
        yield server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """An SMTP server."""
    with mail_server() as server:
        yield server


@pytest.fixture
def target(db: None, web: Web) -> AlertTarget:
    """Is told of everything, over HTTP."""
    return AlertTarget.objects.create(name="值班", address=web.address)
