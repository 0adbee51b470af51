"""Measures admin pages at 3,000,000 coupons against 30,000 and against Django's own admin.

`.venv/bin/python -m tests.bench.pages --folder /var/tmp/bench-pages`: the folder keeps both databases, so that a second
run measures without filling. Three processes stand side by side, the portal on the small database, the portal on the
big one, and a plain `ModelAdmin` on the big one (`tests.bench.stock`); each page is asked of them in turn through
Django's test client, so that a ratio comes from the same seconds. A page's growth is that of the person for whom it
grows more: an administrator, who sees 100 merchants, or marketing with three of them.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from config.embedded.places import Place
from config.embedded.servers import VARIABLES, Servers
from tests.bench.results import Figure, tell

BIG, SMALL = 3_000_000, 30_000
COUPONS_A_CUSTOMER, MERCHANTS = 10, 100  # in both, so that a page shows as much
PAGES = (
    "list", "next page", "page amid the list", "exact code", "mobile", "status filter", "merchant filter",
    "date filter", "home",
)  # fmt: skip
PEOPLE = ("administrator", "marketing")
WARM_UP = 2
GROWTH, FACTOR = 1.3, 10


class Asked:
    """A process that asks pages of one admin on one database."""

    def __init__(self, admin: str, environment: dict[str, str], coupons: int) -> None:
        self.coupons = coupons
        settings = {"portal": "config.settings", "stock": "tests.bench.stock.settings"}[admin]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.pages_asked", admin],
            env={**environment, "DJANGO_SETTINGS_MODULE": settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, page: str, person: str, *, explain: bool = False) -> dict[str, Any]:
        """Milliseconds of one request, or its address and queries. Raises RuntimeError if it fails."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([page, person, explain]) + "\n")
        self.process.stdin.flush()
        if not (line := self.process.stdout.readline()):
            raise RuntimeError(f"{page}, {person}: no answer")
        said: dict[str, Any] = json.loads(line)
        return said

    def end(self) -> None:
        """No more pages."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    """Start the servers, fill once, measure, tell."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, required=True, help="where the data is kept")
    options.add_argument("--coupons", type=int, default=BIG)
    options.add_argument("--runs", type=int, default=15)
    options.add_argument("--pages", nargs="+", choices=PAGES, default=PAGES)
    options.add_argument("--queries", action="store_true", help="print each page's queries at the big one instead")
    chosen = options.parse_args()
    with ExitStack() as stack:
        small = stack.enter_context(_filled(chosen.folder / "small", SMALL))
        big = stack.enter_context(_filled(chosen.folder / f"big-{chosen.coupons}", chosen.coupons))
        portals = [Asked("portal", small, SMALL), Asked("portal", big, chosen.coupons)]
        stock = Asked("stock", big, chosen.coupons)
        for asked in (*portals, stock):
            stack.callback(asked.end)
        if chosen.queries:
            _say_queries(portals[1], chosen.pages)
        else:
            _measure(*portals, stock, chosen.pages, chosen.runs)


def _measure(small: Asked, big: Asked, stock: Asked, pages: list[str], runs: int) -> None:
    factors: dict[str, list[float]] = {}
    for page in pages:
        growth: dict[str, list[float]] = {}
        said = []
        for person in PEOPLE:
            taken = _taken([small, big], page, person, runs)
            growth[person] = [at_big / at_small for at_small, at_big in taken]
            said.append(
                f"{person} {_median(taken, 0):.1f} to {_median(taken, 1):.1f} ms ({median(growth[person]):.2f})"
            )
        worse = max(PEOPLE, key=lambda person: median(growth[person]))
        work, floor = f"{page}, {big.coupons:,} coupons", f"itself at {small.coupons:,}"
        tell(Figure(6, work, floor, growth[worse], GROWTH, at_most=True, said="; ".join(said)))
        if page != "home":
            taken = _taken([big, stock], page, PEOPLE[0], max(3, runs // 3))
            factors[page] = [theirs / ours for ours, theirs in taken]
            print(f"   a plain ModelAdmin: {_median(taken, 1):.0f} ms, {median(factors[page]):.1f} times", flush=True)
    if factors:
        least = min(factors, key=lambda page: median(factors[page]))
        said = [f"{page} {median(found):.1f}" for page, found in factors.items()]
        tell(Figure(6, f"the page with the smallest factor ({least}), against Django's admin", "a plain ModelAdmin",
                    factors[least], FACTOR, said=", ".join(said)))  # fmt: skip


def _taken(asked: list[Asked], page: str, person: str, runs: int) -> list[list[float]]:
    """Milliseconds of each, for each run in turn."""
    for one in asked:
        for _ in range(WARM_UP):
            one.ask(page, person)
    return [[one.ask(page, person)["ms"] for one in asked] for _ in range(runs)]


def _median(taken: list[list[float]], place: int) -> float:
    return median(times[place] for times in taken)


def _say_queries(big: Asked, pages: list[str]) -> None:
    for page in pages:
        for person in PEOPLE:
            big.ask(page, person)
            said = big.ask(page, person, explain=True)
            print(f"\n== {page}, {person}: {said['address']}, {len(said['queries'])} queries, {said['bytes']} bytes")
            for seconds, sql in said["queries"]:
                print(f"  {float(seconds) * 1000:6.1f} ms  {sql}")


def _kept_key(folder: Path) -> str:
    """With what the secrets in the kept data are sealed."""
    file = folder / "key"
    if not file.exists():
        file.write_text(urlsafe_b64encode(secrets.token_bytes(32)).decode())
    return file.read_text()


@contextmanager
def _filled(folder: Path, coupons: int) -> Iterator[dict[str, str]]:
    """Servers with so many coupons, and the environment that leads to them."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    servers = Servers(Place(folder), durable=False, die_with_us=True, say=lambda words: None)
    try:
        environment = {
            **os.environ,
            **{VARIABLES[name]: server.url for name, server in servers.start().items()},
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": _kept_key(folder),
            "ALLOWED_HOSTS": "testserver",
            "REQUIRE_TWO_FACTOR": "off",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        each = coupons // COUPONS_A_CUSTOMER // MERCHANTS
        subprocess.run(
            [sys.executable, "-m", "tests.bench.pages_filled", str(coupons), str(each)], env=environment, check=True
        )
        yield environment
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
