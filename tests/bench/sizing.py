"""Measures what docs/scaling.md reckons with: `.venv/bin/python -m tests.bench.sizing`.

Bytes of each row and index, WAL of each work, statements and processors' time of a push, and how long a push holds its
template. PostgreSQL writes the WAL of production, with full pages, and vacuums by itself; only the disk's flush at each
commit is left out, which differs from disk to disk and is added in the document. No ratio is taken.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.processors import spent
from tests.bench.servers import django_on

_NO_LIMIT = {"HOOK_RATE_LIMIT": "0", "API_RATE_LIMIT": "0"}
_WAL = "SELECT wal_records, wal_fpi, pg_current_wal_lsn() - '0/0' FROM pg_stat_wal"
_TABLES = """
SELECT relname, n_live_tup, pg_relation_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables
WHERE n_live_tup >= %s AND relname ~ '^(coupons|integrations|merchants)_' ORDER BY relname
"""
_INDEXES = """
SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes
WHERE relname = %s AND pg_relation_size(indexrelid) > 100000 ORDER BY 2 DESC
"""
_HOLDS = ('FROM "coupons_coupontemplate"', "FOR NO KEY UPDATE")
_MANY_TEMPLATES = 50


def main() -> None:
    """Print what was found, a section a work."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--coupons", type=int, default=1_000_000)
    options.add_argument("--pushes", type=int, default=20_000)
    options.add_argument("--deliveries", type=int, default=2_000)
    chosen = options.parse_args()
    os.environ.update(_NO_LIMIT)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers", durable=True):
            _do("ALTER SYSTEM SET fsync = off")
            _rows("SELECT pg_reload_conf()")
            _deliver(Path(folder), chosen.deliveries)
            _push(chosen.pushes)
            _issue(chosen.coupons)


def _issue(coupons: int) -> None:
    from tests.bench.issuing import empty, prepared, to_ids

    template = prepared(coupons)
    empty()
    _with_wal(f"{coupons:,} coupons issued to many", coupons, to_ids(template))
    _sizes(coupons // 2)


def _push(pushes: int) -> None:
    from tests.bench.serving import drive, post, server
    from tests.factories import DfireAccountFactory, MerchantFactory, SmartCouponAccountFactory, published

    merchant = MerchantFactory(dfire_account=DfireAccountFactory())
    account = SmartCouponAccountFactory()
    account.merchants.add(merchant)
    templates = [published(merchant=merchant, per_person_limit=3) for _ in range(_MANY_TEMPLATES)]
    address = f"/hooks/smart-coupon/{account.token}/coupon-detail/"

    def bodies(first: int, number: int, among: list[Any]) -> list[dict[str, Any]]:
        return [
            {
                "identifier": f"{13_000_000_000 + first + at}",
                "coupon_id": among[at % len(among)].coupon_id,
                "merchant_id": merchant.merchant_id,
                "expiration_time": f"{templates[0].end_date} 23:59:59",
            }
            for at in range(number)
        ]

    _held(address, bodies(0, 300, templates[:1]))
    with server("config.settings") as port:
        drive(port, [post(address, body) for body in bodies(1000, 200, templates)])
        said = [post(address, body) for body in bodies(10_000_000, pushes, templates)]
        before = spent()
        _with_wal(f"{pushes:,} pushes of {_MANY_TEMPLATES} templates", pushes, lambda: drive(port, said))
        after = spent()
        each = ", ".join(f"{name} {(after[name] - before[name]) / pushes * 1e6:.0f} µs" for name in after)
        print(f"    processors' time of each: {each}", flush=True)
    _sizes(pushes)


def _held(address: str, bodies: list[dict[str, Any]]) -> None:
    """In this process, nobody else at work: statements of a push, and the time from taking stock to the commit."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from redis import Redis

    client, redis = Client(), Redis.from_url(settings.REDIS_URL)
    taken: list[float] = []
    held: list[float] = []

    said: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        said.append(sql)
        if all(part in sql for part in _HOLDS):
            taken.append(time.perf_counter())
        return execute(sql, *rest)

    commit = connection._commit  # type: ignore[attr-defined]

    def committing() -> None:
        commit()
        if taken:
            held.append(time.perf_counter() - taken.pop())

    def ask(body: dict[str, Any]) -> None:
        answer = client.post(address, body, content_type="application/json")
        assert answer.status_code == 200, answer.content

    for body in bodies[:20]:
        ask(body)
    asked = redis.info("stats")["total_commands_processed"]
    with connection.execute_wrapper(watch):
        connection._commit = committing  # type: ignore[attr-defined]
        for body in bodies[21:]:
            ask(body)
        del connection._commit  # type: ignore[attr-defined]
    asked = redis.info("stats")["total_commands_processed"] - asked
    print(f"a push: {len(said) / len(held):.1f} statements and a COMMIT, {asked / len(held):.1f} Redis commands")
    connection.close()  # hooks have bounded it in time
    quick, middle = sorted(held)[len(held) // 20], median(held)
    print(f"    holds its template for {middle * 1000:.2f} ms, where nobody else works {quick * 1000:.2f} ms:", end="")
    print(f" at most {1 / quick:,.0f} a second", flush=True)
    for sql in said[: round(len(said) / len(held))]:
        print(f"      {sql[:90]}")


def _deliver(folder: Path, coupons: int) -> None:
    """To the sandbox, in this process: what the calls leave in the database."""
    from integrations.outbox import engine
    from integrations.sandbox.server import Sandbox
    from tests.bench.issuing import CUSTOMERS, to_ids
    from tests.factories import DfireAccountFactory, MerchantFactory, published

    config = folder / "sandbox.json"
    config.write_text(
        '{"portal_url": "http://127.0.0.1:9", "accounts": [{"app_key": "k", "app_secret": "s"}], "platforms": []}'
    )
    sandbox = Sandbox("127.0.0.1", 0, config, folder / "sandbox.sqlite3")
    sandbox.start()
    try:
        account = DfireAccountFactory(base_url=f"{sandbox.url}/router", app_key="k", app_secret="s")
        template = published(merchant=MerchantFactory(dfire_account=account), stock=coupons)
        _do(CUSTOMERS, template.merchant_id, coupons)
        engine.drain()
        to_ids(template)()
        _with_wal(f"{coupons:,} deliveries", coupons, lambda: _drained(engine.drain, template.merchant))
        _sizes(coupons // 2)
    finally:
        sandbox.stop()


def _drained(drain: Callable[[], int], merchant: Any) -> None:
    from integrations.models import OutboxRow

    end = time.monotonic() + 600
    while (
        OutboxRow.objects.filter(state__in=("queued", "sending"), merchant=merchant).exists() and time.monotonic() < end
    ):
        drain()
    assert not OutboxRow.objects.filter(state__in=("queued", "sending"), merchant=merchant).exists()


def _with_wal(title: str, number: int, work: Callable[[], Any]) -> None:
    time.sleep(1)  # until the backends have told what they wrote
    before = _rows(_WAL)[0]
    begun = time.perf_counter()
    work()
    took = time.perf_counter() - begun
    time.sleep(1)
    records, pages, size = (new - old for new, old in zip(_rows(_WAL)[0], before, strict=True))
    print(
        f"{title}: {number / took:,.0f} a second; each {size / number:,.0f} bytes of WAL ("
        f"{records / number:.1f} records, {pages / number:.2f} full pages)",
        flush=True,
    )


def _sizes(least: int) -> None:
    _rows("SELECT pg_stat_force_next_flush()")
    _do("VACUUM ANALYZE")
    for table, rows, heap, indexes in _rows(_TABLES, least):
        print(f"    {table}: {rows:,} rows, each {heap / rows:.0f} bytes and {indexes / rows:.0f} of indexes")
        for index, size in _rows(_INDEXES, table):
            print(f"        {index} {size / rows:.1f}")


def _do(sql: str, *values: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def _rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


if __name__ == "__main__":
    main()
