"""Measures issuing to many against COPY of exactly the same rows: `.venv/bin/python -m tests.bench.issuing`.

Three tables get a row for each coupon: the coupon, its history and the outbox. What the portal has written is taken out
of them with COPY, they are emptied, and COPY puts it back: the same rows, indexes, foreign keys and triggers. Both run
on one machine, one after the other, each time on empty tables.
"""

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.bench.results import Figure, tell
from tests.bench.servers import django_on

TABLES = ("coupons_issuedcoupon", "coupons_couponevent", "integrations_outboxrow")
CUSTOMERS = """
INSERT INTO merchants_customer (merchant_id, identifier, mobile, openid, created_at)
SELECT %s, 'member-' || n, '13' || lpad(n::text, 9, '0'), 'o' || n, now() FROM generate_series(1, %s) AS n
"""
_MEGABYTE = 1024 * 1024
_PAUSE_SECONDS, _AT_REST_SECONDS = 0.2, 5


def main() -> None:
    """Print a line a run, and the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--coupons", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--by-file", action="store_true", help="a batch as staff start it, from a checked file")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers"):
            template = prepared(chosen.coupons)
            work = _by_file if chosen.by_file else to_ids
            with _web(template) as asking:
                runs = [_run(template, chosen.coupons, work, Path(folder), asking) for _ in range(chosen.runs)]
    ratios, said = [ratio for ratio, _said in runs], runs[-1][1]
    name = f"issue {chosen.coupons:,} coupons{' by a checked file' if chosen.by_file else ''}"
    tell(Figure(1, name, "COPY of the same rows", ratios, 0.7, said=said))


def prepared(coupons: int) -> Any:
    """A template that dfire has been told of, and as many customers."""
    from tests.factories import DfireAccountFactory, MerchantFactory, published

    merchant = MerchantFactory(dfire_account=DfireAccountFactory())
    template = published(merchant=merchant, stock=coupons, per_person_limit=1)
    _sql(CUSTOMERS, merchant.pk, coupons)
    _sql("UPDATE coupons_templateversion SET saved_at = now()")
    return template


def _run(
    template: Any, coupons: int, work: Callable[[Any], Callable[[], None]], folder: Path, asking: "Asking"
) -> tuple[float, str]:
    empty()
    at_rest = asking.times_of(lambda: time.sleep(_AT_REST_SECONDS))
    doing = work(template)
    before = _memory()
    times: list[float] = []
    ours = seconds(lambda: times.extend(asking.times_of(doing)))
    memory = f"memory {before:.0f} MB before, {_memory():.0f} MB at most"
    files = [_taken_out(table, folder / table) for table in TABLES]
    empty()
    floor = seconds(lambda: _put_back(files))
    said = (
        f"{coupons / ours:,.0f} coupons a second, COPY {coupons / floor:,.0f}; {memory}; a page of the web meanwhile"
        f" {_middle_and_worst(times)}, at rest {_middle_and_worst(at_rest)}"
    )
    print(f"{floor / ours:.2f}: {said}", flush=True)
    return floor / ours, said


def _memory() -> float:
    """The most that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE


def _middle_and_worst(times: list[float]) -> str:
    """The median and the 99th percentile."""
    ordered = sorted(times)
    return f"{ordered[len(ordered) // 2] * 1000:.0f} ms (99 %: {ordered[int(len(ordered) * 0.99)] * 1000:.0f} ms)"


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asks the web for a page again and again."""

    port: int
    request: bytes

    def times_of(self, work: Callable[[], None]) -> list[float]:
        """How long each answer took (in seconds) while the work was done."""
        from tests.bench.serving import Line

        done = threading.Event()

        def ask() -> list[float]:
            times = []
            with Line(self.port) as line:
                while not times or not done.wait(_PAUSE_SECONDS):
                    times.append(line.ask(self.request))
            return times

        with ThreadPoolExecutor(1) as other:
            asking = other.submit(ask)
            try:
                work()
            finally:
                done.set()
            return asking.result()


@contextmanager
def _web(template: Any) -> Iterator[Asking]:
    """The web as `make run` starts it, and the list of coupons as a member of staff sees it."""
    from django.contrib.auth.models import User
    from django.test import Client

    from tests.bench.serving import get, server

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())
    with server("config.settings") as port:
        asking = Asking(port, get("/admin/coupons/issuedcoupon/", Cookie=cookies))
        asking.times_of(lambda: time.sleep(_AT_REST_SECONDS))
        yield asking


def to_ids(template: Any) -> Callable[[], None]:
    """Through the door for many, slice by slice as a batch does."""
    from coupons.batches.working import SLICE
    from coupons.choices import Source
    from coupons.issuing import Through, issue_many
    from merchants.models import Customer

    through = Through(source=Source.STAFF, actor="staff:bench")
    everyone = Customer.objects.filter(merchant=template.merchant).order_by("pk").values_list("pk", flat=True)

    def work() -> None:
        last = 0
        while customers := list(everyone.filter(pk__gt=last)[:SLICE]):
            assert len(issue_many(template=template, customers=customers, through=through).issued) == len(customers)
            last = customers[-1]

    return work


def _by_file(template: Any) -> Callable[[], None]:
    """A file of identifiers has been checked; what is measured begins with staff's yes."""
    from coupons import batches
    from merchants.models import Customer

    names = Customer.objects.filter(merchant=template.merchant).order_by("pk").values_list("identifier", flat=True)
    batch = batches.begin_issue(template, "\n".join(names))
    batches.work_all()
    batch.refresh_from_db()

    def work() -> None:
        batches.start(batch)
        batches.work_all()
        batch.refresh_from_db()
        assert batch.done == len(names)

    return work


def _taken_out(table: str, path: Path) -> tuple[str, Path]:
    from django.db import connection

    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        cursor.copy(f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT") as copy,
    ):
        for part in copy:
            file.write(part)
    return table, path


def _put_back(files: list[tuple[str, Path]]) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, path in files:
            with path.open("rb") as file, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for part in _parts(file):
                    copy.write(part)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(_MEGABYTE), b"")


def empty() -> None:
    """As before the first coupon: no rows, nothing counted, no work left over for PostgreSQL."""
    _sql(f"TRUNCATE {', '.join(TABLES)}, coupons_batchrow, coupons_dayfigures, coupons_rolledfigures CASCADE")
    _sql("UPDATE coupons_coupontemplate SET issued_count = 0, committed_fen = 0")
    _sql("VACUUM ANALYZE")
    _sql("CHECKPOINT")


def seconds(work: Callable[[], None]) -> float:
    """How long the work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _sql(statement: str, *values: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


if __name__ == "__main__":
    main()
