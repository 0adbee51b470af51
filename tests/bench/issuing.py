"""Measures issuing to many against COPY of exactly the same rows: `.venv/bin/python -m tests.bench.issuing`."""

import argparse
import io
import resource
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import millions

TABLES = ("coupons_issuedcoupon", "coupons_couponevent", "integrations_outboxrow")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--coupons", type=int, default=50_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--slice", type=int, default=500)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        servers = millions._servers(Path(folder) / "servers")
        try:
            millions._environment(servers)
            _measured(chosen.coupons, chosen.runs, chosen.slice)
        finally:
            servers.stop(at_once=True)


def _measured(coupons: int, runs: int, slice_: int) -> None:
    import logging

    import django

    django.setup()
    logging.disable(logging.INFO)
    from django.core.management import call_command
    from django.db import connection

    from coupons.models import CouponTemplate
    from tests.factories import DfireAccountFactory, MerchantFactory

    call_command("migrate", verbosity=0)
    from tests.factories import published

    merchant = MerchantFactory(dfire_account=DfireAccountFactory())
    template = published(merchant=merchant, stock=coupons * 2, per_person_limit=1)
    _run(connection, _CUSTOMERS, merchant=merchant.pk, each=coupons)
    _run(connection, "VACUUM ANALYZE")
    ratios = []
    for _number in range(runs):
        _empty(connection)
        ours = _timed(lambda: _ours(template, slice_))
        files = [_export(connection, table) for table in TABLES]
        _empty(connection)
        floor = _timed(lambda: _copy(connection, files))
        ratios.append(floor / ours)
        print(f"ours {ours:.2f} s ({coupons / ours:,.0f}/s), COPY {floor:.2f} s ({coupons / floor:,.0f}/s), ratio {floor / ours:.2f}; memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB", flush=True)
    print(f"median ratio {median(ratios):.2f}")


_CUSTOMERS = """
INSERT INTO merchants_customer (merchant_id, identifier, mobile, openid, created_at)
SELECT %(merchant)s, '13' || lpad(n::text, 9, '0'), '13' || lpad(n::text, 9, '0'), 'o' || n, now()
FROM generate_series(1, %(each)s) AS n
"""


def _ours(template: Any, slice_: int) -> None:
    from django.core.paginator import Paginator  # noqa: F401

    from coupons.choices import Source
    from coupons.issuing import Through, issue_many
    from merchants.models import Customer

    last = 0
    through = Through(source=Source.STAFF, actor="staff:bench")
    everyone = Customer.objects.filter(merchant=template.merchant).order_by("pk").values_list("pk", flat=True)
    while customers := list(everyone.filter(pk__gt=last)[:slice_]):
        given = issue_many(template=template, customers=customers, through=through)
        assert not given.stopped and len(given.issued) == len(customers)
        last = customers[-1]


def _export(connection: Any, table: str) -> tuple[str, bytes]:
    with connection.cursor() as cursor, cursor.copy(f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT") as copy:
        return table, b"".join(bytes(part) for part in copy)


def _copy(connection: Any, files: list[tuple[str, bytes]]) -> None:
    from django.db import transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, content in files:
            stream = io.BytesIO(content)
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                while part := stream.read(1 << 20):
                    copy.write(part)


def _empty(connection: Any) -> None:
    _run(connection, f"TRUNCATE {', '.join(TABLES)}, coupons_dayfigures, coupons_rolledfigures CASCADE")
    _run(connection, "UPDATE coupons_coupontemplate SET issued_count = 0, committed_fen = 0")
    _run(connection, "VACUUM ANALYZE")
    _run(connection, "CHECKPOINT")


def _timed(work: Any) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _run(connection: Any, sql: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


if __name__ == "__main__":
    main()
