"""Where a webhook may go: never into the portal's own networks, whatever a partner's address or its DNS says.

An address is entered by people and its name is answered by the partner's DNS, at each connection anew. So nothing is
decided by the text of the address: the name is resolved here, every answer is judged, and the socket is opened to
exactly the addresses that were judged (`integrations.webhooks.sending`). Private networks that partners may be in are
named in OUTBOUND_ALLOWED_NETWORKS. No library that we found does all of it: total time limits, networks that are
allowed, IPv4 hidden in IPv6, the connection to the judged address.
"""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from integrations.dfire.closed import Address, carries_ipv4, is_closed, meant
from integrations.dfire.connection import lookup
from merchants.checks import http_address

# Python's own `is_global` changes from version to version and lets multicast and translated addresses through.
_CLOSED = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
# Of IPv6 only what has been given out as global unicast is open, and of that not these.
_UNICAST = ipaddress.ip_network("2000::/3")
_CLOSED_6 = [
    ipaddress.ip_network(text)
    for text in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")  # Teredo and ORCHID are in the first
]


class TargetRefused(Exception):
    """The address leads where no webhook may go. Its text says where, for people."""


def is_allowed(address: Address, *, plain: bool) -> bool:
    """Whether a webhook may be sent to this address. `plain` (http) goes to OUTBOUND_ALLOWED_NETWORKS alone.

    What is closed to all calls is not opened by OUTBOUND_ALLOWED_NETWORKS either.
    """
    if is_closed(address):
        return False
    if any(found in network for found in meant(address) for network in settings.OUTBOUND_ALLOWED_NETWORKS):
        return True
    return not plain and not any(_is_private(found) for found in meant(address))


def resolved(host: str, port: int, *, plain: bool, timeout: float) -> list[Any]:
    """The host's addresses as `getaddrinfo` says them, all of them allowed. One lookup, at most `timeout` seconds.

    Raises:
        TargetRefused: one of them is not allowed.
        OSError: the name has no address, or none in time (TimeoutError).
    """
    found = lookup(host, port, timeout=timeout)
    for _family, _kind, _protocol, _name, place in found:
        text = str(place[0])
        address = ipaddress.ip_address(text.partition("%")[0])
        if "%" in text or not is_allowed(address, plain=plain):
            raise TargetRefused(f"{host} is {text}")
    return found


def webhook_address(value: str) -> None:
    """An address that a webhook may be sent to, as far as its text says; its name is looked up when it is used.

    Raises:
        ValidationError: it is none, or leads into a network that is not allowed.
    """
    http_address(value)
    parts = urlsplit(value)
    if parts.username is not None or parts.password is not None:
        raise ValidationError(_("Leave out the name and password. Partners know us by the signature."))
    address, plain = _written(str(parts.hostname)), parts.scheme == "http"
    allowed = bool(settings.OUTBOUND_ALLOWED_NETWORKS) if address is None else is_allowed(address, plain=True)
    if plain and not allowed:
        raise ValidationError(_("Use https://. Plain http is sent to networks in OUTBOUND_ALLOWED_NETWORKS only."))
    if address is not None and not is_allowed(address, plain=plain):
        raise ValidationError(
            _("%(address)s is not a public address. An operator can allow its network in OUTBOUND_ALLOWED_NETWORKS."),
            params={"address": address},
        )


def _written(host: str) -> Address | None:
    """The address that a host is written as, in any form that systems read (2130706433, 0x7f.1); None for a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return ipaddress.ip_address(str(found[0][4][0]).partition("%")[0])
    except (OSError, UnicodeError, ValueError):
        return None


def _is_private(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in _CLOSED)
    return any(address in network for network in _CLOSED_6) or not (address in _UNICAST or carries_ipv4(address))
