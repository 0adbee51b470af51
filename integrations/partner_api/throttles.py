"""How often a key may call, and what is done against guessing. Counted in Redis; with Redis down all are let through.

**Calls.** API_RATE_LIMIT a second for each key.

**Codes.** A key that has asked in a minute for API_UNKNOWN_CODES_A_MINUTE (30) codes that are not there for it is
turned away from everything about single coupons until the minute is over. How many an app may ask for in all, which is
what makes guessing hopeless, is counted in PostgreSQL by `guessing`.

**Keys.** One that we make has 256 random bits, which nobody guesses; one that was chosen by somebody may be short. From
an address that has tried API_WRONG_KEYS_A_MINUTE (20) *different* wrong keys no key is looked up until the minute is
over. A client that has been left with an old key repeats one and the same, and locks nobody out who shares its address.
IPv6 counts by its first 64 bits, which one household or server has for itself.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from integrations import counters
from integrations.hooks.callers import household
from integrations.models import ApiKey
from integrations.partner_api import guessing
from integrations.rates import Window, ask, is_new

_PLACE = "portal.api_rate"


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left of a key's second."""

    limit: int
    count: int
    left_seconds: int


class KeyThrottle(BaseThrottle):
    """The limit of calls, and the one of unknown codes."""

    _wait: int = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call; whether it may go on.

        Raises:
            ApiRefused: the app is held because of its unknown codes.
        """
        if not isinstance(request.auth, ApiKey):
            return True
        key, guesses = request.auth, _guesses(request.auth)
        second = _second(key)
        limited, asks_by_code = (
            bool(settings.API_RATE_LIMIT),
            settings.API_UNKNOWN_CODES_A_MINUTE and "code" in view.kwargs,
        )
        counted = None
        if limited or asks_by_code:
            counted = ask(add=[second] if limited else [], read=[guesses] if asks_by_code else [])
        if counted is not None and limited:
            rate = request.META[_PLACE] = Rate(settings.API_RATE_LIMIT, counted[0], second.left)
            if rate.count > rate.limit:
                return self._refuse(key, "calls", second)
        if counted is not None and asks_by_code and counted[-1] >= settings.API_UNKNOWN_CODES_A_MINUTE:
            return self._refuse(key, "codes", guesses)
        if "code" in view.kwargs:
            guessing.check_held(key, view.kwargs["code"])
        return True

    def wait(self) -> float:
        """Seconds until it may call again."""
        return self._wait

    def _refuse(self, key: ApiKey, limit: str, window: Window) -> bool:
        counters.API_THROTTLED.labels(key.app.name, limit).inc()
        self._wait = window.left
        return False


def check_refused(request: Request, key: ApiKey) -> None:
    """Count a call that is turned away although its key is known, as any other call of the key.

    Raises:
        Throttled: 429.
    """
    second = _second(key)
    counted = ask(add=[second]) if settings.API_RATE_LIMIT else None
    if counted is None:
        return
    request.META[_PLACE] = Rate(settings.API_RATE_LIMIT, counted[0], second.left)
    if counted[0] > settings.API_RATE_LIMIT:
        counters.API_THROTTLED.labels(key.app.name, "calls").inc()
        raise Throttled(wait=second.left)


def rate_of(request: Request) -> Rate | None:
    """What was counted of the call's key; None where nothing was."""
    return request.META.get(_PLACE)


def tell(request: Request, response: Any) -> None:
    """Say in the answer how many calls are left of this second."""
    if (rate := rate_of(request)) is not None:
        response["X-RateLimit-Limit"] = str(rate.limit)
        response["X-RateLimit-Remaining"] = str(max(rate.limit - rate.count, 0))
        response["X-RateLimit-Reset"] = str(rate.left_seconds)


def is_first_refusal(key: ApiKey) -> bool:
    """Whether the key has not been turned away in this second before."""
    return is_new(f"api-refused:{key.pk}", seconds=1) is not False


def was_unknown_code(key: ApiKey) -> None:
    """Count a code that does not exist for the key."""
    if settings.API_UNKNOWN_CODES_A_MINUTE:
        ask(add=[_guesses(key)])


def check_guesser(request: Request) -> None:
    """Turn an address away that has tried too many wrong keys.

    Raises:
        Throttled: 429.
    """
    limit = settings.API_WRONG_KEYS_A_MINUTE
    window = _wrong_keys(request)
    counted = ask(read=[window]) if limit else None
    if counted is not None and counted[0] >= limit:
        counters.API_THROTTLED.labels("", "keys").inc()
        raise Throttled(wait=window.left)


def was_wrong_key(request: Request, key_hash: str) -> None:
    """Count a key that is not known, once for all its repeats."""
    window = _wrong_keys(request)
    if settings.API_WRONG_KEYS_A_MINUTE and is_new(f"{window.key}:{key_hash}", seconds=window.seconds):
        ask(add=[window])


def _second(key: ApiKey) -> Window:
    return Window(f"api:{key.pk}", 1)


def _guesses(key: ApiKey) -> Window:
    return Window(f"api-codes:{key.pk}", 60)


def _wrong_keys(request: Request) -> Window:
    return Window(f"api-keys:{household(request)}", 60)
