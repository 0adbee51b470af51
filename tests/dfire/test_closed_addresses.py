"""No call goes where a cloud's machines ask about themselves, however the address is written and whatever DNS says."""

import ipaddress
import socket
from typing import Any

import pytest

from integrations.dfire import RetryableError
from integrations.dfire import connection as connection_module
from integrations.dfire.closed import is_closed
from tests.dfire.samples import deliver

CLOSED = [
    "169.254.169.254", "169.254.170.2", "169.254.0.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe", "::ffff:169.254.169.254", "::169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::5efe:a9fe:a9fe", "224.0.0.1", "255.255.255.255", "ff02::1",
]  # fmt: skip
OPEN = ["127.0.0.1", "::1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.100.100.201", "8.8.8.8", "fd00::1", "2400::1"]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses to which a socket was about to be opened."""
    asked: list[Any] = []

    def note(addresses: list[Any], **_options: Any) -> socket.socket:
        asked.extend(place[0] for *_kind, place in addresses)
        raise OSError("not in a test")

    monkeypatch.setattr(connection_module, "_open_socket", note)
    return asked


@pytest.mark.parametrize("address", CLOSED)
def test_these_are_closed(address: str) -> None:
    assert is_closed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OPEN)
def test_networks_of_ones_own_are_open(address: str) -> None:
    assert not is_closed(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "[::ffff:169.254.169.254]"])
def test_no_way_of_writing_it_opens_a_socket(connect: Any, opened: list[Any], host: str) -> None:
    with pytest.raises(RetryableError):
        deliver(connect(f"http://{host}/router"))
    assert opened == []


@pytest.mark.parametrize("answer", [["169.254.169.254"], ["192.0.2.1", "169.254.169.254"], ["fd00:ec2::254"]])
def test_one_closed_address_closes_the_name(
    connect: Any, opened: list[Any], monkeypatch: pytest.MonkeyPatch, answer: list[str]
) -> None:
    def resolve(host: str, port: int, **_options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

    monkeypatch.setattr(connection_module.socket, "getaddrinfo", resolve)
    with pytest.raises(RetryableError):
        deliver(connect("http://dfire.example/router"))
    assert opened == []


def test_others_are_connected_to(connect: Any, opened: list[Any]) -> None:
    with pytest.raises(RetryableError):
        deliver(connect("http://127.0.0.1:9/router"))
    assert opened == ["127.0.0.1"]
