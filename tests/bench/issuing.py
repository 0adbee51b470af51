"""Measures issuing to many against COPY of exactly the same rows: `.venv/bin/python -m tests.bench.issuing`.

Three tables get a row for each coupon: the coupon, its history and the outbox. What the portal has written is taken out
of them with COPY, they are emptied, and COPY puts it back: the same rows, indexes, foreign keys and triggers. Both run
on one machine, one after the other, each time on empty tables.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import IO, Any

from tests.bench.servers import django_on

TABLES = ("coupons_issuedcoupon", "coupons_couponevent", "integrations_outboxrow")
_CUSTOMERS = """
INSERT INTO merchants_customer (merchant_id, identifier, mobile, openid, created_at)
SELECT %s, 'member-' || n, '13' || lpad(n::text, 9, '0'), 'o' || n, now() FROM generate_series(1, %s) AS n
"""
_MEGABYTE = 1024 * 1024


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
            ratios = [_run(template, chosen.coupons, work, Path(folder)) for _ in range(chosen.runs)]
    print(f"median of {len(ratios)} runs: {median(ratios):.2f} of COPY's speed")


def prepared(coupons: int) -> Any:
    """A template that dfire has been told of, and as many customers."""
    from tests.factories import DfireAccountFactory, MerchantFactory, published

    merchant = MerchantFactory(dfire_account=DfireAccountFactory())
    template = published(merchant=merchant, stock=coupons, per_person_limit=1)
    _sql(_CUSTOMERS, merchant.pk, coupons)
    _sql("UPDATE coupons_templateversion SET saved_at = now()")
    return template


def _run(template: Any, coupons: int, work: Callable[[Any], Callable[[], None]], folder: Path) -> float:
    empty()
    ours = seconds(work(template))
    files = [_taken_out(table, folder / table) for table in TABLES]
    empty()
    floor = seconds(lambda: _put_back(files))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE
    print(
        f"{coupons / ours:8,.0f} coupons a second, COPY {coupons / floor:8,.0f}: {floor / ours:.2f}; {memory:.0f} MB",
        flush=True,
    )
    return floor / ours


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
