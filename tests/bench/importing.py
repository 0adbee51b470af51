"""Measures customer files against COPY of the same rows: `.venv/bin/python -m tests.bench.importing`.

The floor puts exactly the rows that the import has made into the table of customers, taken out of it before with COPY:
the same indexes, constraints and foreign keys, on an empty table. The dry run begins with the upload as it came and
ends where staff are asked; the import begins with their yes. Each with a merchant who knows nobody yet.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.results import Figure, tell
from tests.bench.servers import django_on

TABLE = "merchants_customer"
_MEGABYTE = 1024 * 1024
_MANY, _FEW = 1_000_000, 100_000


def main() -> None:
    """Print a line a run, then the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=_MANY)
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers"):
            merchant = _merchant()
            _run(merchant, max(1000, chosen.customers // 10), Path(folder))
            few = _peak()
            ratios = [_run(merchant, chosen.customers, Path(folder)) for _ in range(chosen.runs)]
            many = _peak()
    said = f"peak memory {many:.0f} MB, with a tenth of the rows {few:.0f} MB"
    floor, rows = "COPY", f"{chosen.customers:,}"
    tell(Figure(7, f"dry run of a CSV of {rows} customers", floor, [dry for dry, _enter in ratios], 0.3, said=said))
    tell(Figure(7, f"import of a CSV of {rows} customers", floor, [enter for _dry, enter in ratios], 0.3, said=said))
    tell(Figure(7, f"memory (MB) for {rows} customers", "300 MB", [many / 300], 1, at_most=True, said=said))
    tell(Figure(7, f"memory for {rows} customers", "a tenth of them", [many / few], 1.15, at_most=True))


def _merchant() -> Any:
    from tests.factories import MerchantFactory

    return MerchantFactory()


def _run(merchant: Any, customers: int, folder: Path) -> tuple[float, float]:
    """Dry run and import as shares of COPY's speed."""
    from django.contrib.auth.models import User

    from coupons import customer_files
    from merchants.models import CustomerFile

    upload = _upload(folder / "customers.csv", customers)
    by, _made = User.objects.get_or_create(username="bench")
    _empty()
    files: list[CustomerFile] = []

    def dry_run() -> None:
        with upload.open("rb") as source:
            files.append(customer_files.begin(merchant, source, adds_unknown=True, by=by))
        customer_files.work_all()

    checked = _seconds(dry_run)
    (file,) = files
    file.refresh_from_db()
    assert (file.state, file.new, file.bad) == ("ready", customers, 0), (file.state, file.new, file.problem)
    customer_files.start(file, may_add=True)
    entered = _seconds(customer_files.work_all)
    file.refresh_from_db()
    assert (file.state, file.created) == ("done", customers), (file.state, file.created, file.problem)
    rows = _taken_out(folder / "rows")
    _empty()
    floor = _seconds(lambda: _put_back(rows))
    print(
        f"{customers:,} rows: COPY {customers / floor:8,.0f} a second, dry run {customers / checked:8,.0f}"
        f" ({floor / checked:.2f}), import {customers / entered:8,.0f} ({floor / entered:.2f}); {_peak():.0f} MB",
        flush=True,
    )
    return floor / checked, floor / entered


def _upload(path: Path, customers: int) -> Path:
    """A file as a merchant's membership gives it: a number, a mobile, an openid."""
    with path.open("w", encoding="utf-8") as file:
        file.write("会员标识,手机号,openid\r\n")
        for n in range(customers):
            file.write(f"VIP{n:08d},13{n:09d},o{n * 7919 % 10**9:09d}AbCdEfGhIjKlMnOpQr\r\n")
    return path


def _taken_out(path: Path) -> Path:
    from django.db import connection

    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        cursor.copy(f"COPY (SELECT * FROM {TABLE} ORDER BY id) TO STDOUT") as copy,
    ):
        for part in copy:
            file.write(part)
    return path


def _put_back(path: Path) -> None:
    from django.db import connection, transaction

    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        path.open("rb") as file,
        cursor.copy(f"COPY {TABLE} FROM STDIN") as copy,
    ):
        while part := file.read(_MEGABYTE):
            copy.write(part)


def _empty() -> None:
    _sql(f"TRUNCATE {TABLE}, merchants_customerfilerow, merchants_customerfilepart, django_admin_log CASCADE")
    _sql("VACUUM ANALYZE")
    _sql("CHECKPOINT")


def _peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _sql(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


if __name__ == "__main__":
    main()
