"""Measures how fast queued coupons reach dfire: `.venv/bin/python -m tests.bench.delivery`.

dfire is a process of its own that answers after 20 ms (`tests.bench.dfire`), the portal's worker and scheduler run as
`make run` starts them. The floor is arithmetic: 16 calls in flight of 20 ms each are 800 a second. Beside it stands what
16 threads of plain `requests` reach against the same dfire in the same minute, doing nothing else.

The clock runs from the moment at which the outbox's gate opens, all coupons being queued and the worker idle, until the
last row is settled. Then it is counted whether each coupon was delivered once.
"""

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from integrations.dfire.signing import sign
from tests.bench.dfire import APP_KEY, APP_SECRET, DELIVER, Dfire, dfire
from tests.bench.results import Figure, tell
from tests.bench.servers import django_on
from tests.bench.workers import database_seconds, portal, processor_seconds

IN_FLIGHT = 16  # for each worker process: the account's own limit, which is 16 unless staff enter another
REACH, REACH_OF_TWO = 0.75, 1.9
_PATIENCE_SECONDS = 900
CUSTOMERS = """
INSERT INTO merchants_customer (merchant_id, identifier, mobile, openid, created_at)
SELECT %s, 'member-' || n, '13' || lpad(n::text, 9, '0'), 'o' || n, now() FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One run: coupons a second, and milliseconds of the processors for each of them."""

    rate: float
    worker_ms: float
    database_ms: float

    def __str__(self) -> str:
        return f"{self.rate:4.0f} a second (worker {self.worker_ms:.2f} ms, database {self.database_ms:.2f} ms each)"


def main() -> None:
    """Run one and two workers in turn, and tell both figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--coupons", type=int, default=20_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--milliseconds", type=float, default=20)
    options.add_argument("--most-workers", type=int, default=2, choices=(1, 2))
    chosen = options.parse_args()
    found: dict[int, list[Delivered]] = {count: [] for count in range(1, chosen.most_workers + 1)}
    plain = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers"), dfire(chosen.milliseconds) as there:
            template = prepared(there, chosen.coupons)
            for _run in range(chosen.runs):
                plain.append(_plain(there, chosen.coupons // 4))
                print(f"plain requests: {plain[-1]:4.0f} a second", flush=True)
                for workers, runs in found.items():
                    runs.append(_delivered(template, there, workers, Path(folder)))
                    print(f"{workers} worker(s): {runs[-1]}", flush=True)
    floor = IN_FLIGHT * 1000 / chosen.milliseconds
    rates = {workers: [run.rate for run in runs] for workers, runs in found.items()}
    said = (
        f"{median(rates[1]):.0f} a second; {IN_FLIGHT} threads of plain requests that do nothing else:"
        f" {median(plain):.0f}. For each coupon the worker computes {median(one.worker_ms for one in found[1]):.2f} ms,"
        f" PostgreSQL {median(one.database_ms for one in found[1]):.2f} ms."
    )
    ratios = [rate / floor for rate in rates[1]]
    tell(Figure(5, f"delivering {chosen.coupons:,} queued coupons", f"{floor:.0f} a second", ratios, REACH, said=said))
    if 2 in rates:
        ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
        said = f"{median(rates[2]):.0f} a second with {2 * IN_FLIGHT} in flight."
        tell(Figure(5, "the same by two worker processes", "one worker process", ratios, REACH_OF_TWO, said=said))


def prepared(there: Dfire, customers: int) -> Any:
    """A template that dfire has been told of, at an account without a rate limit, and so many customers."""
    from django.db import connection

    from coupons.models import TemplateVersion
    from tests.factories import DfireAccountFactory, MerchantFactory, published

    account = DfireAccountFactory(
        base_url=there.router, app_key=APP_KEY, app_secret=APP_SECRET, max_concurrency=IN_FLIGHT, timeout_seconds=5
    )
    merchant = MerchantFactory(dfire_account=account)
    template = published(merchant=merchant)
    from integrations.outbox import engine

    engine.drain()
    assert TemplateVersion.objects.filter(template=template, saved_at__isnull=False).exists()
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS, [merchant.pk, customers])
        cursor.execute("VACUUM ANALYZE")
    return template


def issue_to_all(template: Any) -> int:
    """A coupon for each customer. Returns how many."""
    from coupons.batches.working import SLICE
    from coupons.choices import Source
    from coupons.issuing import Through, issue_many
    from merchants.models import Customer

    everyone = Customer.objects.filter(merchant=template.merchant).order_by("pk").values_list("pk", flat=True)
    last = made = 0
    while customers := list(everyone.filter(pk__gt=last)[:SLICE]):
        through = Through(source=Source.STAFF, actor="staff:bench")
        made += len(issue_many(template=template, customers=customers, through=through).issued)
        last = customers[-1]
    return made


def _delivered(template: Any, there: Dfire, workers: int, folder: Path) -> Delivered:
    from django.db import connection

    from integrations.models import OutboxAttempt, OutboxRow
    from integrations.models.outbox import UNSETTLED
    from integrations.outbox import doorbell, gate
    from merchants.models import DfireAccount

    DfireAccount.objects.update(max_concurrency=IN_FLIGHT * workers)
    before, answered = there.seen(), OutboxAttempt.objects.filter(result="ok")
    attempts = answered.count()
    with portal(workers, folder) as pids:
        with gate.shut():
            coupons = issue_to_all(template)
            _settle_down(pids)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
            computed, database = processor_seconds(pids), database_seconds()
            begun = time.time()
        doorbell.ring()
        unsettled = OutboxRow.objects.filter(state__in=UNSETTLED)
        while unsettled.exists():
            assert time.time() - begun < _PATIENCE_SECONDS, unsettled.count()
            time.sleep(0.2)
        computed, database = processor_seconds(pids) - computed, database_seconds() - database
    last = OutboxRow.objects.order_by("-settled_at").values_list("settled_at", flat=True)[0]
    assert last is not None
    after = there.seen()
    assert after["codes"] - before["codes"] == coupons == answered.count() - attempts, after
    assert after["refused"] == before["refused"] and after["most_in_flight"] <= IN_FLIGHT * workers, after
    return Delivered(coupons / (last.timestamp() - begun), computed * 1000 / coupons, database * 1000 / coupons)


def _settle_down(pids: list[int]) -> None:
    """Until the workers have started and do nothing."""
    calm = 0
    while calm < 3:
        before = processor_seconds(pids)
        time.sleep(1)
        calm = calm + 1 if processor_seconds(pids) - before < 0.1 and before > 1 else 0


def _plain(there: Dfire, calls: int) -> float:
    """Calls a second of as many threads that send what the portal sends, and read the answer, with `requests` alone."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=IN_FLIGHT))
    numbers, lock = iter(range(calls)), threading.Lock()
    prefix = time.time_ns() % 10**9

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            form = {
                "appKey": APP_KEY, "timestamp": str(int(time.time() * 1000)), "v": "1.0", "method": DELIVER,
                "entityId": "99927548", "plateEntityId": "99927571", "promotionId": "p" * 32, "appid": "wx",
                "openid": f"o{number}", "mobile": f"13{number:09}", "thirdDeliverCode": f"{prefix:09}{number:07}",
            }  # fmt: skip
            answer = session.post(there.router, data={**form, "sign": sign(form, APP_SECRET)}, timeout=5).json()
            assert answer["model"][0]["deliverSuccess"]

    threads = [threading.Thread(target=work) for _ in range(IN_FLIGHT)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return calls / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
