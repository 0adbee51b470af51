"""Times pages through Django's test client, in this process, with the database on the same machine."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

PAGES = {
    "home, 7 days": "/admin/?period=7d",
    "home, 30 days": "/admin/?period=30d",
    "home, last month": "/admin/?period=last_month",
    "home, 400 days": "/admin/?period=own&from={first}&to={last}",
    "issued coupons": "/admin/coupons/issuedcoupon/",
}


def measure(runs: int) -> None:
    """Print a line for each page and user: median and slowest in milliseconds, queries, the time of the slowest one."""
    from tests.bench.sizes import days, sizes

    print("\n".join(sizes()))
    print(f"{'SELECT 1':32} {_milliseconds(_floor, runs)}")
    first, last = days()
    for name in ("root", "lili"):
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.get(username=name))
        for title, address in PAGES.items():
            _page(f"{name}: {title}", client, address.format(first=first, last=last), runs)


def _page(title: str, client: Client, address: str, runs: int) -> None:
    def ask() -> None:
        assert client.get(address).status_code == 200, address

    ask()
    with CaptureQueriesContext(connection) as queries:
        ask()
    asked = queries.captured_queries
    slowest = max(asked, key=lambda query: float(query["time"]))
    print(f"{title:32} {_milliseconds(ask, runs)}, {len(asked)} queries, "
          f"slowest {float(slowest['time']) * 1000:.0f} ms: {slowest['sql'][:90]!r}", flush=True)  # fmt: skip


def _floor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _milliseconds(work: Callable[[], Any], runs: int) -> str:
    taken = []
    for _run in range(runs):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return f"{median(taken):7.1f} ms (most {max(taken):.1f}, {runs} runs)"
