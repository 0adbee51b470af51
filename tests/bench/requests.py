"""Measures a push and a partner's read over HTTP against bare views: `.venv/bin/python -m tests.bench.requests`."""

import argparse
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.servers import django_on

_NO_LIMIT = {"HOOK_RATE_LIMIT": "1000000", "API_RATE_LIMIT": "1000000", "HOOK_ADDRESS_RATE_LIMIT": "1000000"}


def main() -> None:
    """Print a line a run, and the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=4000)
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    import os

    os.environ.update(_NO_LIMIT)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers"):
            _measured(chosen.requests, chosen.runs)


def _measured(requests: int, runs: int) -> None:
    from django.db import connection

    from coupons.models import IssuedCoupon
    from integrations.models import PartnerApp
    from integrations.models.partners import Scope
    from integrations.partner_api import keys
    from tests.bench import floor
    from tests.bench.serving import drive, get, post, server
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
    reads = [get(f"/api/v1/coupons/{coupon.code}/", Authorization=f"Api-Key {text}") for coupon in coupons]
    bare_reads = [get(f"/read/{coupon.pk}/") for coupon in coupons]
    end = template.end_date + timedelta(days=0)
    ratios: dict[str, list[float]] = {"push": [], "read": []}
    for run in range(runs):
        bodies = [
            {"identifier": f"m-{run}-{number}", "coupon_id": template.coupon_id, "merchant_id": merchant.merchant_id,
             "expiration_time": f"{end} 23:59:59"}
            for number in range(requests)
        ]  # fmt: skip
        with server("tests.bench.floor_settings") as port:
            drive(port, _times(bare_reads, 400))
            floors = {
                "push": drive(port, [post("/insert/", body) for body in bodies]),
                "read": drive(port, _times(bare_reads, requests)),
            }
        with server("config.settings") as port:
            drive(port, _times(reads, 400))
            address = f"/hooks/smart-coupon/{account.token}/coupon-detail/"
            ours = {
                "push": drive(port, [post(address, body) for body in bodies]),
                "read": drive(port, _times(reads, requests)),
            }
        for name in ratios:
            ratios[name].append(ours[name].rate / floors[name].rate)
            print(
                f"{name}: {ours[name].rate:6,.0f}/s of {floors[name].rate:6,.0f}/s: {ratios[name][-1]:.2f};"
                f" p99 {ours[name].p99 * 1000:.1f} ms of {floors[name].p99 * 1000:.1f} ms",
                flush=True,
            )
        assert IssuedCoupon.objects.filter(customer__identifier__startswith=f"m-{run}-").count() == requests
    print({name: round(median(found), 2) for name, found in ratios.items()})


def _times(requests: Sequence[bytes], number: int) -> list[bytes]:
    return [requests[at % len(requests)] for at in range(number)]


if __name__ == "__main__":
    main()
