"""The portal that is photographed: the demo's chain after its month, on servers of its own that are thrown away."""

import json
from typing import Any

import requests

from tests.e2e.portal import HTTP_SECONDS, Portal, until

_LOAD = """
from pathlib import Path
from config.demo.loading import Files, load
load(Files(Path({folder!r})), portal_url={url!r}, sandbox_url={sandbox!r})
"""
_OPEN = """
from integrations.models import OutboxRow
print("open", OutboxRow.objects.filter(state__in=["queued", "sending"]).count())
"""
_ISSUE = """
from coupons import issuing
from coupons.choices import Source
from coupons.issuing import Through
from coupons.models import CouponTemplate
from merchants.models import Customer
coupon = issuing.issue(
    template=CouponTemplate.objects.get(reference={reference!r}), customer=Customer.objects.get(identifier={mobile!r}),
    through=Through(source=Source.STAFF, actor="staff:lili"))
print("code", coupon.code)
"""


class Photographed(Portal):
    """A portal with the demo in place of the tests' own data."""

    def up(self) -> None:
        """Start everything, and wait until dfire has been told of the whole month."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        self.manage("shell", "-c", _LOAD.format(folder=str(self.folder), url=self.url, sandbox=self.sandbox_url))
        for name in ("sandbox", "web", "worker", "beat"):
            self.start(name)
        until(self._answers, seconds=60)
        until(lambda: "open 0" in self.manage("shell", "-c", _OPEN), seconds=120)

    def push(self, address: str, body: dict[str, Any]) -> requests.Response:
        """Push as the demo's smart-coupon platform does."""
        token = json.loads((self.folder / "demo-keys.json").read_text())["push_token"]
        return requests.post(f"{self.url}/hooks/smart-coupon/{token}/{address}/", json=body, timeout=HTTP_SECONDS)

    def redeem(self, code: str) -> None:
        """Redeem a coupon at the sandbox's till, once dfire holds it."""
        until(lambda: self.held(code), seconds=30)
        order = {"code": code}
        requests.post(f"{self.sandbox_url}/control/redeem", json=order, timeout=HTTP_SECONDS).raise_for_status()

    def issue(self, reference: str, mobile: str) -> str:
        """Issue a coupon of a template of the demo; returns its code, once dfire holds it."""
        code = self.manage("shell", "-c", _ISSUE.format(reference=reference, mobile=mobile)).split("code ")[1].strip()
        until(lambda: self.held(code), seconds=30)
        return code
