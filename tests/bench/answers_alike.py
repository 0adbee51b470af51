"""Measures whether the time of an answer tells who is known: `.venv/bin/python -m tests.bench.answers_alike`.

Pairs of calls that must look alike are made in turn, thousands of times, through Django's test client; the servers are
thrown away. Printed are medians, their ratio, and how often the one of a pair took longer than the other: 50 % where
nothing can be told; first by the clock, which a caller sees, then by this thread's processor time, which is quieter.
"""

import argparse
import os
import secrets
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from config.embedded.places import Place
from config.embedded.servers import VARIABLES, Servers

WARM_UP = 50


def main() -> None:
    """Start servers of our own, measure, throw them away."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=2000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="alike-") as folder:
        Path(folder).chmod(0o711)
        servers = Servers(Place(Path(folder)), durable=False, die_with_us=True, say=lambda words: None)
        try:
            _environment(servers)
            _measured(chosen.trials)
        finally:
            servers.stop(at_once=True)


def _environment(servers: Servers) -> None:
    os.environ.update({VARIABLES[name]: server.url for name, server in servers.start(list(VARIABLES)).items()})
    key = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    os.environ.update(SECRET_KEY=secrets.token_hex(), FIELD_ENCRYPTION_KEYS=key, ALLOWED_HOSTS="testserver")
    os.environ.update(DJANGO_SETTINGS_MODULE="config.settings", HOOK_RATE_LIMIT="0", API_WRONG_KEYS_A_MINUTE="0")


def _measured(trials: int) -> None:
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for title, one, other in _pairs():
        _print(title, one, other, trials)


def _pairs() -> list[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    from tests.factories import DfireAccountFactory, SmartCouponAccountFactory
    from tests.hooks.helpers import callback, create_push, post, tell

    tills = DfireAccountFactory(app_key="0123456789abcdef", app_secret="dfire-s3cr3t")
    for number in range(50):
        SmartCouponAccountFactory(token=f"tok-{number:03}-{'x' * 24}")
    right = callback(tills, "1")
    wrong, unknown = {**right, "sign": "0" * 40}, {**right, "appKey": "f" * 16, "sign": "0" * 40}
    push = create_push()

    def token(text: str) -> Callable[[], Any]:
        return lambda: post(f"/hooks/smart-coupon/{text}/coupon/", push)

    return [
        ("callback: wrong signature / unknown appKey", lambda: tell(wrong), lambda: tell(unknown)),
        ("push: token off by its last character / unknown", token("tok-001-" + "x" * 23 + "y"), token("z" * 32)),
        ("the same call twice (what the clock does)", token("z" * 32), token("z" * 32)),
    ]


def _print(title: str, one: Callable[[], Any], other: Callable[[], Any], trials: int) -> None:
    clock: list[list[float]] = [[], []]
    processor: list[list[float]] = [[], []]
    for trial in range(trials + WARM_UP):
        for which in (0, 1) if trial % 2 else (1, 0):
            began, began_working = time.perf_counter(), time.thread_time()
            (one, other)[which]()
            if trial >= WARM_UP:
                processor[which].append(time.thread_time() - began_working)
                clock[which].append(time.perf_counter() - began)
    print(f"{title:52} {_compared(*clock)} | {_compared(*processor)}", flush=True)


def _compared(one: list[float], other: list[float]) -> str:
    first, second = median(one) * 1000, median(other) * 1000
    longer = sum(a > b for a, b in zip(one, other, strict=True)) / len(one)
    return f"{first:7.3f} ms {second:7.3f} ms  ratio {first / second:.3f}  longer {longer:.1%}"


if __name__ == "__main__":
    main()
