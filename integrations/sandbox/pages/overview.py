"""The first page: what this is, where things are, what has happened lately."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from integrations.sandbox import ledger
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.faults import Faults
from integrations.sandbox.pages.base import moment, render
from integrations.sandbox.pages.faults import kind_labels
from integrations.sandbox.pages.terms import State
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Request, Response, Routes

RECENT_CALLS = 15


class OverviewPage:
    """`/`."""

    def __init__(self, *, config: ConfigFile, store: Store, faults: Faults) -> None:
        self.config = config
        self.store = store
        self.faults = faults
        self.routes: Routes = {("GET", "/"): self.show}

    def show(self, request: Request) -> Response:
        """The overview."""
        calls = ledger.requests(self.store, limit=RECENT_CALLS)
        config = self.config.current()
        context = {
            "totals": ledger.totals(self.store),
            "promotions": len([row for row in ledger.promotion_rows(self.store) if not row["deleted"]]),
            "rules": len(self.faults.report()["rules"]),
            "accounts": len(config.accounts),
            "calls": [_call_line(call) for call in calls],
        }
        return render(self.config, request, "overview", context)


def _call_line(call: dict[str, Any]) -> dict[str, Any]:
    kinds = kind_labels()
    return {
        **call,
        "time": moment(call["at"]),
        "short_method": call["method"].removeprefix("dfire.shop."),
        "state": _outcome(call["outcome"]),
        "faults": [kinds[kind] for kind in call["fault"].split("+") if kind],
    }


def _outcome(outcome: str) -> State:
    kind, _, code = outcome.partition(" ")
    if kind == "ok":
        return State(gettext("done"), "good")
    if kind == "refused":
        return State(gettext("refused") + f" {code}", "warn")
    if kind == "gateway":
        return State(gettext("gateway refusal") + f" {code}", "bad")
    return State(gettext("not acted on"), "fault")
