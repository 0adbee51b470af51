"""Measures how fast a merchant is compared with dfire: `.venv/bin/python -m tests.bench.reconciling`.

20,000 customers who hold a coupon each are asked about, one call a customer, among a million coupons. dfire answers
after 20 ms (`tests.bench.dfire`); the portal's worker and scheduler run as `make run` starts them. The floor is
arithmetic: 16 calls in flight of 20 ms each are 800 a second. dfire holds what it should, but for a few coupons that it
has lost and that have to be found.

The clock runs from the moment at which staff press the button until the plan stands, as the run itself notes it.
"""

import argparse
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.delivery import IN_FLIGHT, prepared
from tests.bench.dfire import ASK_CUSTOMER, Dfire, dfire
from tests.bench.results import Figure, tell
from tests.bench.servers import django_on
from tests.bench.workers import memory_mb, portal, processor_seconds, until_idle

REACH = 0.75
MEMORY_GROWTH = 1.3  # of the worker, between a tenth of the customers and all of them
LOST = 7
_PATIENCE_SECONDS = 1800
# Delivered a month ago: what changed lately would be asked about first, which is the same work in another order.
_COUPONS = """
INSERT INTO coupons_issuedcoupon (code, merchant_id, template_id, version_id, customer_id, status, delivery,
    valid_from, valid_until, source, issued_at, delivered_at, delivered_appid, delivered_openid, delivered_mobile,
    dfire_valid_until, redeemed_through, cost_fen, flag)
SELECT lpad((%(first)s + row_number() OVER (ORDER BY customer.id, n))::text, 16, '0'), customer.merchant_id,
    %(template)s, %(version)s, customer.id, 'issued', 'delivered', %(then)s, %(until)s, 'staff', %(then)s, %(then)s,
    %(appid)s, customer.openid, customer.mobile, %(until)s, '', 1000, ''
FROM merchants_customer AS customer, generate_series(1, %(each)s) AS n WHERE customer.merchant_id = %(merchant)s
"""


def main() -> None:
    """Print a line a run, and tell speed and memory."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=20_000)
    options.add_argument("--coupons", type=int, default=1_000_000, help="in the tables, of other merchants")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--milliseconds", type=float, default=20)
    chosen = options.parse_args()
    floor = IN_FLIGHT * 1000 / chosen.milliseconds
    rates, growth, computed = [], [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers"), dfire(chosen.milliseconds) as there:
            merchant = _filled(there, chosen.customers, chosen.coupons)
            for _run in range(chosen.runs):
                rate, memory, worker_ms = _compared(merchant, there, chosen.customers, Path(folder))
                rates.append(rate)
                growth.append(memory[1] / memory[0])
                computed.append(worker_ms)
                print(
                    f"{rate:4.0f} customers a second, worker {worker_ms:.2f} ms each,"
                    f" memory {memory[0]:.0f} to {memory[1]:.0f} MB",
                    flush=True,
                )
    said = f"{median(rates):.0f} a second, for each of which the worker computes {median(computed):.2f} ms."
    work = f"comparing {chosen.customers:,} customers with dfire"
    tell(Figure(8, work, f"{floor:.0f} calls a second", [rate / floor for rate in rates], REACH, said=said))
    said = f"With {chosen.coupons:,} coupons of others in the tables."
    tell(Figure(8, "its memory at the end", "a tenth of the way", growth, MEMORY_GROWTH, at_most=True, said=said))


def _filled(there: Dfire, customers: int, others: int) -> Any:
    """The merchant whose customers hold a coupon each, here and there, and another with all the other coupons."""
    from django.db import connection

    from coupons.models import IssuedCoupon
    from integrations.models import OutboxRow
    from merchants.models import Customer
    from tests.factories import MerchantFactory, published

    template = prepared(there, customers)
    merchant = template.merchant
    _coupons(template, first=0, each=1)
    another = published(merchant=MerchantFactory(name="another", dfire_account=None))
    OutboxRow.objects.filter(merchant=another.merchant).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO merchants_customer (merchant_id, identifier, mobile, openid, created_at)"
            " SELECT %s, 'other-' || n, '', 'p' || n, now() FROM generate_series(1, %s) AS n",
            [another.merchant_id, max(1, others // 10)],
        )
    _coupons(another, first=10**12, each=10)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    held = IssuedCoupon.objects.filter(merchant=merchant).order_by("pk").values_list("delivered_openid", "code")
    there.tell(list(held)[LOST:])
    assert Customer.objects.filter(merchant=merchant).count() == customers
    return merchant


def _coupons(template: Any, *, first: int, each: int) -> None:
    from django.db import connection
    from django.utils import timezone

    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _COUPONS,
            {
                "first": first, "template": template.pk, "version": template.versions.get().pk, "each": each,
                "merchant": template.merchant_id, "appid": template.merchant.appid,
                "then": now - timedelta(days=30), "until": now + timedelta(days=20),
            },
        )  # fmt: skip


def _compared(merchant: Any, there: Dfire, customers: int, folder: Path) -> tuple[float, tuple[float, float], float]:
    """Customers a second, what the worker holds in memory early and at the end (MB), and computes for each (ms)."""
    from integrations.models import Finding, Reconciliation
    from integrations.models.reconcile import Drift, RunMode, RunState
    from integrations.reconcile import runs

    before = there.seen()["calls"].get(ASK_CUSTOMER, 0)
    with portal(1, folder) as [worker]:
        until_idle([worker])
        computed = processor_seconds([worker])
        run = runs.start(merchant, RunMode.FULL)
        early, peak = 0.0, 0.0
        while run.state == RunState.RUNNING:
            assert time.time() - run.created_at.timestamp() < _PATIENCE_SECONDS, run.customers_done
            time.sleep(0.2)
            run = Reconciliation.objects.get(pk=run.pk)
            peak = max(peak, memory_mb(worker))
            early = early or (peak if run.customers_done >= customers / 10 else 0.0)
        computed = processor_seconds([worker]) - computed
    asked = there.seen()
    assert run.finished_at is not None, run.message
    assert run.customers_done == customers, run.message
    assert asked["calls"][ASK_CUSTOMER] - before == customers, asked
    assert asked["most_in_flight"] <= IN_FLIGHT, asked
    missing = Finding.objects.filter(run=run, kind=Drift.MISSING_THERE)
    assert missing.count() == LOST == Finding.objects.filter(run=run).exclude(kind=Drift.PROMOTION_MISSING).count()
    seconds = (run.finished_at - run.created_at).total_seconds()
    return customers / seconds, (early or peak, peak), computed * 1000 / customers


if __name__ == "__main__":
    main()
