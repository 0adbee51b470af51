"""Who is calling: the caller's address behind trusted proxies, and how often it may call."""

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from integrations import counters, rates
from integrations.hooks.refusals import HookCode, HookRefused

_MORE_THAN_AN_ACCOUNT = 5  # times HOOK_RATE_LIMIT: so many calls of strangers one address may make
_OF_ONE = 64  # bits: whoever has one IPv6 address has all that begin like it


def client_address(request: Request | HttpRequest) -> str:
    """The caller's address. `X-Forwarded-For` counts only as far as TRUSTED_PROXIES wrote it, read from its end."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    while forwarded and is_within(address, settings.TRUSTED_PROXIES):
        before = forwarded.pop().strip()
        if not before:
            break
        address = before
    return address


def household(request: Request | HttpRequest) -> str | None:
    """The address under which failures of a caller are counted; None where there is none.

    Of IPv6 it is the network of 64 bits, which one household or server has for itself.
    """
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return None
    if not isinstance(address, ipaddress.IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _OF_ONE), strict=False).network_address)


def check_address(request: Request, allowed: Sequence[str]) -> None:
    """Refuse a caller whose address is in none of the allowed networks; an empty list allows all.

    Raises:
        HookRefused: 403.
    """
    if not may_call(request, allowed):
        words = f"{client_address(request)} is not among the addresses that may push here."
        raise HookRefused(HookCode.ADDRESS_NOT_ALLOWED, words)


def may_call(request: Request | HttpRequest, allowed: Sequence[str]) -> bool:
    """Whether the caller's address lies in one of the allowed networks; an empty list allows all."""
    return not allowed or is_within(
        client_address(request), [ipaddress.ip_network(net, strict=False) for net in allowed]
    )


def check_rate(caller: str) -> None:
    """Count a call against HOOK_RATE_LIMIT calls a second of one account. With Redis down everyone is let through.

    Raises:
        HookRefused: 429.
    """
    if limit := settings.HOOK_RATE_LIMIT:
        _refuse_above(limit, rates.ask(add=[rates.Window(f"hook:{caller}", 1)]), caller.partition(":")[0])


def check_strangers(request: Request) -> None:
    """Turn an address away from which too many calls of nobody known have come in this second. The first thing that is
    looked at, before the body and the database. Calls of accounts do not count: theirs have limits of their own.

    Raises:
        HookRefused: 429.
    """
    limit = _MORE_THAN_AN_ACCOUNT * settings.HOOK_RATE_LIMIT
    if limit and (window := _strangers(request)):
        _refuse_above(limit - 1, rates.ask(read=[window]), "address")


def was_stranger(request: Request, refusal: HookRefused) -> None:
    """Count a call that was turned away before it was known whose it is."""
    if settings.HOOK_RATE_LIMIT and refusal.kind is not HookCode.TOO_MANY and (window := _strangers(request)):
        rates.ask(add=[window])


def _strangers(request: Request) -> rates.Window | None:
    address = household(request)
    return rates.Window(f"hook:address:{address}", 1) if address else None


def _refuse_above(limit: int, counted: list[int] | None, whose: str) -> None:
    if counted is not None and counted[0] > limit:
        counters.THROTTLED.labels(whose).inc()
        raise HookRefused(HookCode.TOO_MANY, "Too many requests in a second; try again in a moment.")


def is_within(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Whether the address lies in one of the networks; what is no address lies in none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any(parsed in network or (mapped is not None and mapped in network) for network in networks)
