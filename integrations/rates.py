"""How often something happened in the present second or minute, counted in Redis for all web processes together.

Windows are fixed: they begin with the full second or minute of the clock. Nobody waits for a Redis that is down:
whoever notices it first says so, and for a moment nothing is counted and everyone is let through.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from integrations import counters

logger = logging.getLogger(__name__)

_QUIET_SECONDS = 2.0
_SPARE_SECONDS = 5  # a window is kept a little longer than it lasts: clocks of two machines differ
_quiet_until = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """The present window of so many seconds for something that has a name."""

    name: str
    seconds: int

    @property
    def key(self) -> str:
        """Under what it is counted."""
        return f"rate:{self.name}:{self.seconds}:{int(time.time()) // self.seconds}"

    @property
    def left(self) -> int:
        """How many seconds it lasts yet, rounded up: at least 1."""
        return self.seconds - int(time.time()) % self.seconds


def ask(*, add: Sequence[Window] = (), read: Sequence[Window] = ()) -> list[int] | None:
    """Count one in each window of `add`, look at those of `read`, in one word with Redis.

    Returns:
        The counts in this order; None where Redis does not answer.
    """
    return _say(lambda pipe: _count(pipe, add, read), lambda said: _counts(said, len(add)))


def is_new(name: str, *, seconds: int) -> bool | None:
    """Whether this has not been asked for so many seconds. None where Redis does not answer."""
    return _say(lambda pipe: pipe.set(f"seen:{name}", 1, nx=True, ex=seconds), lambda said: bool(said[0]))


def _count(pipe: Any, add: Sequence[Window], read: Sequence[Window]) -> None:
    for window in add:
        pipe.incr(window.key)
        pipe.expire(window.key, window.seconds + _SPARE_SECONDS)
    for window in read:
        pipe.get(window.key)


def _counts(said: list[Any], added: int) -> list[int]:
    return [int(count) for count in said[: 2 * added : 2]] + [int(count or 0) for count in said[2 * added :]]


def _say(words: Any, answer: Any) -> Any:
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return None
    try:
        pipe = _client(str(settings.CACHES["default"]["LOCATION"])).pipeline(transaction=False)
        words(pipe)
        return answer(pipe.execute())
    except (RedisError, OSError) as error:
        _quiet_until = time.monotonic() + _QUIET_SECONDS
        counters.BROKER_FAILURES.labels("rate limits").inc()
        logger.warning("Rate limits are let through for a moment: Redis does not answer (%s).", error)
        return None


@lru_cache(maxsize=4)
def _client(location: str) -> Redis:
    patience: Any = settings.CACHES["default"]["OPTIONS"]
    return Redis.from_url(location, **patience)
