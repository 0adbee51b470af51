"""Measures a push and a partner's read over HTTP against bare views: `.venv/bin/python -m tests.bench.requests`.

Portal and bare views run under the same web server with as many workers and threads, on the same PostgreSQL, one after
the other in each run. Every push is for a new customer, all of one template: nothing is found and nothing is shared.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.results import Figure, tell
from tests.bench.servers import django_on

_NO_LIMIT = {"HOOK_RATE_LIMIT": "1000000", "API_RATE_LIMIT": "1000000"}
_TO_WARM_UP = 400


def main() -> None:
    """Print a line a run, and the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=6000)
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    os.environ.update(_NO_LIMIT)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers"):
            works = _works()
            found = [[_run(work, run, chosen.requests) for work in works] for run in range(chosen.runs)]
    for work, (rates, tails, said) in zip(
        works, (zip(*of_one, strict=True) for of_one in zip(*found, strict=True)), strict=True
    ):
        tell(Figure(work.row, work.name, work.floor, list(rates), work.reach, said=said[-1]))
        if work.p99 is not None:
            tell(Figure(work.row, f"{work.name}, 99th percentile", "the floor's", list(tails), work.p99, at_most=True))


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked for: the portal's requests and the bare views' by run and number of them."""

    row: int
    name: str
    floor: str
    reach: float
    p99: float | None
    ours: Callable[[int, int], list[bytes]]
    bare: Callable[[int, int], list[bytes]]


def _run(work: Work, run: int, number: int) -> tuple[float, float, str]:
    """The ratio of requests a second, that of the 99th percentiles, and both in words."""
    from tests.bench.serving import drive, server

    with server("tests.bench.floor_settings") as port:
        drive(port, work.bare(-1 - run, _TO_WARM_UP))
        floor = drive(port, work.bare(run, number))
    with server("config.settings") as port:
        drive(port, work.ours(-1 - run, _TO_WARM_UP))
        ours = drive(port, work.ours(run, number))
    said = (
        f"{ours.rate:,.0f}/s of {floor.rate:,.0f}/s; p50 {ours.p50 * 1000:.1f} of {floor.p50 * 1000:.1f} ms,"
        f" p99 {ours.p99 * 1000:.1f} of {floor.p99 * 1000:.1f} ms; the client took {ours.client:.0%} and"
        f" {floor.client:.0%} of a core"
    )
    print(f"{work.name}: {ours.rate / floor.rate:.2f}: {said}", flush=True)
    return ours.rate / floor.rate, ours.p99 / floor.p99, said


def _works() -> list[Work]:
    from django.db import connection

    from integrations.models import PartnerApp
    from integrations.models.partners import Scope
    from integrations.partner_api import keys
    from tests.bench import floor
    from tests.bench.serving import get, post
    from tests.factories import DfireAccountFactory, MerchantFactory, SmartCouponAccountFactory, issued, published

    with connection.cursor() as cursor:
        cursor.execute(floor.TABLE)
    merchant = MerchantFactory(dfire_account=DfireAccountFactory())
    account = SmartCouponAccountFactory()
    account.merchants.add(merchant)
    template = published(merchant=merchant, per_person_limit=3)
    coupons = [issued(template) for _ in range(50)]
    app = PartnerApp.objects.create(name="bench", scopes=[Scope.COUPONS_READ])
    app.merchants.add(merchant)
    _key, text = keys.make(app)

    def bodies(run: int, number: int) -> list[dict[str, Any]]:
        said = {
            "coupon_id": template.coupon_id,
            "merchant_id": merchant.merchant_id,
            "expiration_time": f"{template.end_date} 23:59:59",
        }
        return [{"identifier": f"m-{run}-{at}", **said} for at in range(number)]

    address = f"/hooks/smart-coupon/{account.token}/coupon-detail/"
    reads = [get(f"/api/v1/coupons/{coupon.code}/", Authorization=f"Api-Key {text}") for coupon in coupons]
    bare_reads = [get(f"/read/{coupon.pk}/") for coupon in coupons]
    return [
        Work(
            *(3, "coupon-detail push", "a bare view's INSERT", 0.35, 3),
            lambda run, number: [post(address, body) for body in bodies(run, number)],
            lambda run, number: [post("/insert/", body) for body in bodies(run, number)],
        ),
        Work(
            *(4, "GET coupons/{code}/", "a bare view's read", 0.6, None),
            lambda _run, number: _times(reads, number),
            lambda _run, number: _times(bare_reads, number),
        ),
    ]


def _times(requests: Sequence[bytes], number: int) -> list[bytes]:
    return [requests[at % len(requests)] for at in range(number)]


if __name__ == "__main__":
    main()
