"""What breaks on our side: processes and servers, one after the other, in an order from a seed."""

import random
import threading
import time
from collections import Counter

from redis import Redis as RedisClient

from config.embedded.postgres import Postgres
from config.embedded.redis import Redis
from tests.chaos.portal import ChaosPortal

# Every kind comes before any comes twice.
BREAKS = (
    *("worker killed", "web killed", "postgres restarted", "redis restarted", "redis flushed"),
    *("worker2 killed", "desk killed", "beat killed", "postgres crashed"),
)
LONGEST_AWAY_SECONDS = 2.0


class Breaker(threading.Thread):
    """Breaks one thing after the other until all is done that was planned."""

    def __init__(self, portal: ChaosPortal, seed: int, *, breaks: int, every_seconds: float) -> None:
        super().__init__(name="breaker", daemon=True)
        self.portal = portal
        self.random = random.Random(seed)
        self.planned = [BREAKS[turn] if turn < len(BREAKS) else self.random.choice(BREAKS) for turn in range(breaks)]
        self.random.shuffle(self.planned)
        self.every_seconds = every_seconds
        self.done: Counter[str] = Counter()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Break and mend."""
        try:
            for what in self.planned:
                time.sleep(self.every_seconds)
                self._break(what)
                self.done[what] += 1
        except BaseException as error:
            self.error = error

    def _break(self, what: str) -> None:
        name, how = what.split()
        if what == "redis flushed":
            with RedisClient.from_url(self.portal.environment["REDIS_URL"]) as client:
                client.flushall()
        elif name in ("redis", "postgres"):
            signals = Redis.abort if name == "redis" else Postgres.abort if how == "crashed" else Postgres.shutdown
            self.portal.servers.start([name])[name].process.end(signals)
            self._away()
            self.portal.servers.start([name])
        else:
            self.portal.kill(name)
            self._away()
            self.portal.start(name)

    def _away(self) -> None:
        time.sleep(self.random.uniform(0, LONGEST_AWAY_SECONDS))
