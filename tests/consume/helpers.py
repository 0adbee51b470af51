"""Redeeming, and the platform on the other side of the wire."""

from datetime import timedelta
from typing import Any

import requests
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.models import IssuedCoupon
from integrations.models import ConsumeReport, ReportLane
from integrations.sandbox.server import Sandbox

TOKEN, CONSUME = "platform.token", "platform.consume"


class Reports:
    """What the sandbox's platform has received, and how it misbehaves."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def times(self) -> dict[str, int]:
        """How often each coupon was reported."""
        return {row["coupon_id"]: row["count"] for row in self.sandbox.app.reports.received("maxfun", limit=10_000)}

    def fault(self, method: str, fault: str, *, times: int | None = 1, **options: Any) -> None:
        """Misbehave so at the next calls of the method, and no other way."""
        rule = {"method": method, "fault": fault, "times": times, **options}
        requests.post(f"{self.sandbox.url}/control/faults", json={"rules": [rule]}, timeout=10).raise_for_status()

    def fired(self) -> int:
        """How often the fault came."""
        rules = requests.get(f"{self.sandbox.url}/control/faults", timeout=10).json()["rules"]
        return sum(rule["fired"] for rule in rules)

    def behave(self) -> None:
        """No more faults."""
        requests.delete(f"{self.sandbox.url}/control/faults", timeout=10).raise_for_status()


def redeem(coupon: IssuedCoupon) -> None:
    """A till redeems it."""
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now())


def report_of(coupon: IssuedCoupon) -> ConsumeReport:
    """The coupon's report."""
    return ConsumeReport.objects.get(coupon=coupon)


def time_passes() -> None:
    """Whatever waits for later is due now, and every lease has run out."""
    past = timezone.now() - timedelta(seconds=1)
    ConsumeReport.objects.update(available_at=past)
    ReportLane.objects.update(next_at=None)
    ReportLane.objects.filter(lease_until__isnull=False).update(lease_until=past)
