"""Servers and clients for the dfire client's tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.dfire import DfireClient
from tests.dfire.outside import Answer, Outside, http
from tests.dfire.samples import NOW, SECRET


@pytest.fixture
def outside() -> Iterator[Callable[..., Outside]]:
    """Start servers; give it an answer function, or bytes that answer everything."""
    started = []

    def start(answer: Answer | bytes, **kwargs: Any) -> Outside:
        server = Outside(answer if callable(answer) else lambda _: answer, **kwargs)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., DfireClient]]:
    """Make clients of a server or of an address."""
    made = []

    def make(server: Outside | str, **kwargs: Any) -> DfireClient:
        url = server if isinstance(server, str) else server.url
        client = DfireClient(url, "cdc08577b61942442aa89390dacb25ad", SECRET, **{"clock": lambda: NOW, **kwargs})
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def answering(outside, connect) -> Callable[..., DfireClient]:
    """Make a client whose server answers everything with one body (bytes or JSON)."""

    def make(body: object, *, status: int = 200, **kwargs: Any) -> DfireClient:
        return connect(outside(http(body, status=status)), **kwargs)

    return make
