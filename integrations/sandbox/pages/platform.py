"""The smart-coupon platform's page: compose a push, see its JSON, send it, read the portal's answer."""

from __future__ import annotations

from typing import Any

from integrations.sandbox import revisions
from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import ConfigFile, Platform
from integrations.sandbox.consume import ConsumeReports
from integrations.sandbox.pages.base import moment, redirect, render
from integrations.sandbox.push import LastCoupon, Pushes
from integrations.sandbox.revisions import COUPON, DETAIL, FIELDS, KINDS, REVISIONS
from integrations.sandbox.wire import Request, Response, Routes, number

DRAFT_LASTS_MS = 60 * 60 * 1000
DEFAULT_CUSTOMER = "13800138000"
DEFAULT_MERCHANT = "88"


class PlatformPage:
    """`/platform`."""

    def __init__(self, *, config: ConfigFile, pushes: Pushes, reports: ConsumeReports) -> None:
        self.config = config
        self.pushes = pushes
        self.reports = reports
        self.routes: Routes = {
            ("GET", "/platform"): self.show,
            ("POST", "/platform/push"): self.push,
            ("POST", "/platform/again"): self.send_again,
        }

    def show(self, request: Request) -> Response:
        """Both forms of the chosen account and revision, what was sent, what was reported."""
        platforms = self.config.current().platforms
        chosen = self.config.current().platform(request.query.get("account", ""))
        platform = chosen or (platforms[0] if platforms else None)
        if platform is None:
            return render(self.config, request, "platform", {"platform": None})
        revision = _revision(request.query.get("revision", ""))
        last = self.pushes.last_coupon(platform.name, revision)
        context = {
            "platform": platform,
            "platforms": platforms,
            "revision": revision,
            "revisions": REVISIONS,
            "can_sign": revision > 1 and bool(platform.developer_key),
            "unsigned": revision > 1 and not platform.developer_key,
            "coupon_form": self._form(platform, revision, COUPON, last),
            "detail_form": self._form(platform, revision, DETAIL, last),
            "coupon_id": last.coupon_id if last else "",
            "history": [_history_line(row) for row in self.pushes.history(platform.name)],
            "reports": [{**dict(row), "time": moment(row["last_at"])} for row in self.reports.received(platform.name)],
        }
        return render(self.config, request, "platform", context)

    def push(self, request: Request) -> Response:
        """Send the JSON of the form as it stands, signed if asked."""
        form = request.form()
        kind, revision = form.get("kind", ""), _revision(form.get("revision", ""))
        platform = self.config.current().platform(form.get("account", ""))
        if platform is None or kind not in KINDS:
            return redirect("/platform")
        body = form.get("body", "").replace("\r\n", "\n")
        if form.get("sign") == "1":
            body = revisions.signed(revision, body, platform.developer_key)
        push_id = self.pushes.send(platform=platform.name, kind=kind, revision=revision, body=body)
        return redirect("/platform", {"account": platform.name, "revision": revision}, f"push-{push_id}")

    def send_again(self, request: Request) -> Response:
        """Repeat a push to the letter."""
        form = request.form()
        wanted = number(form.get("id", ""))
        push_id = None if wanted is None else self.pushes.send_again(wanted)
        query = {"account": form.get("account", ""), "revision": _revision(form.get("revision", ""))}
        return redirect("/platform", query, f"push-{push_id}" if push_id else "")

    def _form(self, platform: Platform, revision: int, kind: str, last: LastCoupon | None) -> dict[str, Any]:
        values = self._draft(platform, revision) if kind == COUPON else {}
        if not values:
            values = revisions.example(
                revision,
                kind,
                merchant_id=next(iter(platform.merchant_ids), DEFAULT_MERCHANT),
                customer=next(iter(platform.customers), DEFAULT_CUSTOMER),
                coupon=last.body if last else None,
                coupon_id=last.coupon_id if last else "",
            )
        fields = [{"spec": field, "value": values.get(field.name, "")} for field in FIELDS[revision, kind]]
        return {"kind": kind, "fields": fields, "body": revisions.pretty(values)}

    def _draft(self, platform: Platform, revision: int) -> dict[str, Any]:
        """The coupon that was pushed a moment ago, so that a refused one can be mended and sent again."""
        for row in self.pushes.history(platform.name):
            if row["kind"] == COUPON and row["revision"] == revision:
                is_fresh = now_ms() - row["at"] <= DRAFT_LASTS_MS
                return revisions.fields_of(row["body"]) if is_fresh else {}
        return {}


def _revision(text: str) -> int:
    return int(text) if text in map(str, REVISIONS) else REVISIONS[0]


def _history_line(row: Any) -> dict[str, Any]:
    return {
        **dict(row),
        "time": moment(row["at"]),
        "is_coupon": row["kind"] == COUPON,
        "returned_id": revisions.returned_id(row["answer"], row["kind"]),
        "tone": "good" if row["http_status"] and row["http_status"] < 300 else "bad",
        "milliseconds": round(row["milliseconds"]),
    }
