"""Who is calling: the caller's address behind trusted proxies, and how often it may call."""

import ipaddress
import logging
import time
from collections.abc import Sequence

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.request import Request

from integrations import counters
from integrations.hooks.refusals import HookCode, HookRefused

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 2.0
_quiet_until = 0.0


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


def check_address(request: Request, allowed: Sequence[str]) -> None:
    """Refuse a caller whose address is in none of the allowed networks; an empty list allows all.

    Raises:
        HookRefused: 403.
    """
    if allowed and not is_within(client_address(request), [ipaddress.ip_network(net, strict=False) for net in allowed]):
        raise HookRefused(HookCode.ADDRESS_NOT_ALLOWED, "This address may not push here.")


def check_rate(caller: str) -> None:
    """Count the call against HOOK_RATE_LIMIT calls a second. With Redis down everyone is let through.

    Raises:
        HookRefused: 429.
    """
    global _quiet_until
    limit = settings.HOOK_RATE_LIMIT
    if not limit or time.monotonic() < _quiet_until:
        return
    key = f"hook-rate:{caller}:{int(time.time())}"
    try:
        cache.add(key, 0, timeout=5)
        count = cache.incr(key)
    except (RedisError, ValueError, OSError) as error:
        _quiet_until = time.monotonic() + _QUIET_SECONDS
        counters.BROKER_FAILURES.labels("rate limits").inc()
        logger.warning("Rate limits are let through for a moment: Redis does not answer (%s).", error)
        return
    if count > limit:
        counters.THROTTLED.labels(caller.partition(":")[0]).inc()
        raise HookRefused(HookCode.TOO_MANY, f"More than {limit} requests in a second; try again in a moment.")


def is_within(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Whether the address lies in one of the networks; what is no address lies in none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any(parsed in network or (mapped is not None and mapped in network) for network in networks)
