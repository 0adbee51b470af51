"""Addresses that no call of ours goes to, whoever entered them and whatever a name's DNS says.

A machine in a cloud answers questions about itself, and hands out its keys, at addresses that it alone reaches. Nothing
that coupons need is there. Private networks are not among these: dfire and platforms may be reached through one.
"""

import ipaddress
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "fe80::/10", "ff00::/8",
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",  # Alibaba Cloud, Azure, Oracle
        "fd00:ec2::/32", "fd20:ce::254/128",  # AWS, Google
    )
]  # fmt: skip
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)


class AddressClosed(OSError):
    """The name leads to an address that no call goes to. Nothing was sent."""


def judged(found: list[Any]) -> list[Any]:
    """What `getaddrinfo` says, if all of it may be connected to.

    Raises:
        AddressClosed: one of the addresses is closed.
    """
    for _family, _kind, _protocol, _name, place in found:
        text = str(place[0])
        if is_closed(ipaddress.ip_address(text.partition("%")[0])):
            raise AddressClosed(f"{text} is an address that no call goes to")
    return found


def is_closed(address: Address) -> bool:
    """Whether the address, or the IPv4 address that it carries inside, is closed."""
    return any(one in network for one in meant(address) for network in _NETWORKS)


def meant(address: Address) -> list[Address]:
    """The address, and the IPv4 address that it carries inside."""
    return [address, *_inside(address)] if isinstance(address, ipaddress.IPv6Address) else [address]


def carries_ipv4(address: ipaddress.IPv6Address) -> bool:
    """Whether a connection to the address ends at an IPv4 address anywhere in the net."""
    return address.ipv4_mapped is not None or address in _NAT64


def _inside(address: ipaddress.IPv6Address) -> list[Address]:
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address.sixtofour]
    number = int(address)
    if address in _NAT64 or (number >> 32) & 0xFFFFFFFF in _ISATAP or number >> 32 == 0:
        return [ipaddress.IPv4Address(number & 0xFFFFFFFF)]
    return []
