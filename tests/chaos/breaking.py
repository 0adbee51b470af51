"""What breaks: dfire's answers by a share of all calls, and our own processes and servers one after the other."""

import random
import threading
import time
from collections import Counter
from typing import Any

from redis import Redis as RedisClient

from config.embedded.postgres import Postgres
from config.embedded.redis import Redis
from tests.e2e.portal import Portal

SLOWER_THAN_THE_TIME_LIMIT_MS = 1600
FAULTS = {
    "drop_before": 0.04,
    "drop_after": 0.04,
    "http_500": 0.03,
    "http_500_after": 0.02,
    "garbage_after": 0.03,
    "truncated_after": 0.02,
    "empty_after": 0.01,
    "busy": 0.04,
    "latency_after": 0.02,
    "latency": 0.02,
}
BREAKS = ("worker", "worker2", "web", "redis flushed", "redis restarted", "postgres restarted")


def fault_rules() -> list[dict[str, Any]]:
    """The sandbox's orders for every call."""
    return [
        {
            "method": "*",
            "fault": fault,
            "probability": share,
            **({"latency_ms": SLOWER_THAN_THE_TIME_LIMIT_MS} if fault.startswith("latency") else {}),
        }
        for fault, share in FAULTS.items()
    ]


class Breaker(threading.Thread):
    """Breaks one thing after the other, each kind in turn from a seed, until told to stop."""

    def __init__(self, portal: Portal, seed: int, *, breaks: int, every_seconds: float) -> None:
        super().__init__(name="breaker", daemon=True)
        self.portal = portal
        self.random = random.Random(seed)
        self.planned = [self.random.choice(BREAKS) if turn >= len(BREAKS) else BREAKS[turn] for turn in range(breaks)]
        self.random.shuffle(self.planned)
        self.every_seconds = every_seconds
        self.done: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Break and mend."""
        try:
            for what in self.planned:
                if self.stopping.wait(self.every_seconds):
                    return
                self._break(what)
                self.done[what] += 1
        except BaseException as error:
            self.error = error
            raise

    def _break(self, what: str) -> None:
        if what in ("worker", "worker2", "web"):
            self.portal.kill(what)
            time.sleep(self.random.uniform(0, 1))
            self.portal.start(what)
        elif what == "redis flushed":
            with RedisClient.from_url(self.portal.environment["REDIS_URL"]) as client:
                client.flushall()
        elif what == "redis restarted":
            self.portal.servers.start(["redis"])["redis"].process.end(Redis.abort)
            time.sleep(self.random.uniform(0, 2))
            self.portal.servers.start(["redis"])
        else:
            self.portal.servers.start(["postgres"])["postgres"].process.end(Postgres.shutdown)
            time.sleep(self.random.uniform(0, 1))
            self.portal.servers.start(["postgres"])
