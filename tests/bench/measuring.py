"""Times pages through Django's test client, in this process, with the database on the same machine.

Beside the time of the clock stands the time of the processors (this process and PostgreSQL's), which tells what a page
costs also where other programs keep the machine busy.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.sizes import days, sizes

PAGES = {
    "home, today": "/admin/?period=today",
    "home, 7 days": "/admin/?period=7d",
    "home, 30 days": "/admin/?period=30d",
    "home, one merchant": "/admin/?period=30d&merchant=1",
    "home, 400 days": "/admin/?period=own&from={first}&to={last}",
}
SLOWEST_SHOWN = 2
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(runs: int) -> None:
    """Print a line for each page and user, and its slowest queries."""
    print("\n".join(sizes()))
    print(f"{'SELECT 1':26} {_taken(_floor, runs)}")
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
    print(f"{title:26} {_taken(ask, runs)}, {len(asked)} queries", flush=True)
    for query in sorted(asked, key=lambda one: -float(one["time"]))[:SLOWEST_SHOWN]:
        print(f"    {float(query['time']) * 1000:4.0f} ms  {query['sql'][:110]}")


def _floor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _taken(work: Callable[[], Any], runs: int) -> str:
    """In milliseconds: by the clock the median, the fastest and the slowest run; of processors the median."""
    clock, processors = [], []
    for _run in range(runs):
        begun, used = time.perf_counter(), _processors()
        work()
        clock.append((time.perf_counter() - begun) * 1000)
        processors.append((_processors() - used) * 1000)
    spread = f"{min(clock):.1f} to {max(clock):.1f}"
    return f"{median(clock):7.1f} ms ({spread}), processors {median(processors):.0f} ms, {runs} runs"


def _processors() -> float:
    """Seconds that this process and its connection's backend have computed (the latter in steps of 10 ms)."""
    backend: int = connection.connection.info.backend_pid if connection.connection else 0
    stat = Path(f"/proc/{backend}/stat")
    fields = stat.read_text().rpartition(")")[2].split() if backend and stat.exists() else []
    return time.process_time() + (int(fields[11]) + int(fields[12])) / _TICKS if fields else time.process_time()
