"""Choosing misbehaviour by hand: the control API's faults as buttons and a form."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from integrations.sandbox.config import ConfigFile
from integrations.sandbox.faults import CONSUME, EVERY_METHOD, KINDS, PLATFORM_METHODS, BadRule, Faults, read_rule
from integrations.sandbox.pages.base import redirect, render
from integrations.sandbox.router import DELIVER, SERVICES, VERIFY
from integrations.sandbox.wire import Request, Response, Routes, number

PRESETS: dict[str, dict[str, Any]] = {
    "slow": {"fault": "latency", "latency_ms": 2000},
    "late": {"method": DELIVER, "fault": "latency_after", "latency_ms": 8000},
    "lost": {"method": DELIVER, "fault": "drop_after", "probability": 0.5},
    "garbled": {"method": VERIFY, "fault": "garbage_after", "times": 1},
    "busy": {"fault": "busy"},
    "down": {"fault": "html_502"},
    "key": {"fault": "bad_signature"},
    "limit": {"fault": "rate_limited", "probability": 0.3},
    "platform": {"method": CONSUME, "fault": "http_500"},
}


class FaultsPage:
    """`/faults`."""

    def __init__(self, *, config: ConfigFile, faults: Faults) -> None:
        self.config = config
        self.faults = faults
        self.routes: Routes = {
            ("GET", "/faults"): self.show,
            ("POST", "/faults/add"): self.add,
            ("POST", "/faults/remove"): self.remove,
            ("POST", "/faults/clear"): self.clear,
        }

    def show(self, request: Request) -> Response:
        """The rules in force, the presets, the form."""
        kinds = kind_labels()
        rules = [
            {
                **rule,
                "label": kinds[rule["fault"]],
                "percent": round(rule["probability"] * 100),
                "where": ", ".join(f"{name} = {value}" for name, value in rule["where"].items()),
            }
            for rule in self.faults.report()["rules"]
        ]
        transfer = self.config.current().transfer_method
        context = {
            "rules": rules,
            "presets": preset_labels(),
            "kinds": [(kind, kinds[kind]) for kind in KINDS],
            "methods": [EVERY_METHOD, *SERVICES, transfer, *PLATFORM_METHODS],
            "refused": request.query.get("refused", ""),
        }
        return render(self.config, request, "faults", context)

    def add(self, request: Request) -> Response:
        """Add a preset, or the rule of the form."""
        form = request.form()
        preset = PRESETS.get(form.get("preset", ""))
        try:
            self.faults.add(read_rule(preset if preset is not None else _from_form(form)))
        except BadRule as error:
            return redirect("/faults", {"refused": str(error)})
        return redirect("/faults")

    def remove(self, request: Request) -> Response:
        """Take one rule out."""
        rule_id = number(request.form().get("id", ""))
        if rule_id is not None:
            self.faults.remove(rule_id)
        return redirect("/faults")

    def clear(self, request: Request) -> Response:
        """Behave again."""
        self.faults.replace([])
        return redirect("/faults")


def kind_labels() -> dict[str, str]:
    """What each fault does, in words."""
    return {
        "latency": gettext("wait, then act"),
        "latency_after": gettext("act, then wait"),
        "drop_before": gettext("drop the connection without acting"),
        "drop_after": gettext("act, then drop the connection"),
        "http_500": gettext("HTTP 500 without acting"),
        "http_500_after": gettext("act, then HTTP 500"),
        "garbage": gettext("garbage without acting"),
        "garbage_after": gettext("act, then garbage"),
        "truncated_after": gettext("act, then half an answer"),
        "empty_after": gettext("act, then an empty answer"),
        "html_502": gettext("HTML page with HTTP 502"),
        "busy": gettext("refuse as busy (009)"),
        "refuse": gettext("refuse with a code"),
        "bad_signature": gettext("refuse the signature (25)"),
        "rate_limited": gettext("refuse for the rate limit (37)"),
    }


def preset_labels() -> list[tuple[str, str, str]]:
    """The buttons: preset, title, explanation."""
    return [
        ("slow", gettext("Slow"), gettext("Every call waits 2 seconds")),
        ("late", gettext("Late answers"), gettext("Deliveries are done at once, answered 8 seconds later")),
        ("lost", gettext("Lost answers"), gettext("Half of the deliveries are done, but the line drops")),
        ("garbled", gettext("Garbled once"), gettext("The next online redemption answers garbage")),
        ("busy", gettext("Busy"), gettext("Every call is refused as busy")),
        ("down", gettext("Gateway down"), gettext("A proxy answers 502 to everything")),
        ("key", gettext("Wrong key"), gettext("Every signature is refused")),
        ("limit", gettext("Rate limit"), gettext("Three calls in ten are over the limit")),
        ("platform", gettext("Platform down"), gettext("The smart-coupon platform takes no consume reports")),
    ]


def _from_form(form: dict[str, str]) -> dict[str, Any]:
    """The form's texts as the control API's JSON; what is left empty is left out."""
    rule: dict[str, Any] = {name: form.get(name, "") for name in ("method", "fault", "code", "message")}
    percent, times = form.get("percent", "").strip(), form.get("times", "").strip()
    latency = form.get("latency_ms", "").strip()
    rule["probability"] = _number(percent, "percent") / 100 if percent else 1.0
    rule["times"] = _number(times, "times") if times else None
    rule["latency_ms"] = _number(latency, "latency_ms") if latency else 0
    code = form.get("coupon_code", "").strip()
    rule["where"] = {"thirdDeliverCode": code} if code else {}
    return rule


def _number(text: str, name: str) -> int:
    value = number(text)
    if value is None:
        raise BadRule(f"{name}: a whole number")
    return value
