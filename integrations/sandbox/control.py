"""The control API under `/control/`: JSON for tests and scripts that drive the sandbox.

Faults, the ledger, the request log, the measured limits, a reset, and a till without a cashier.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from integrations.sandbox import ledger, revisions
from integrations.sandbox.callbacks import Callbacks
from integrations.sandbox.faults import DEFAULT_SEED, BadRule, Faults, read_rule
from integrations.sandbox.limits import Limits
from integrations.sandbox.push import Pushes
from integrations.sandbox.store import REQUEST_LOG_ROWS, Store
from integrations.sandbox.till import MOST_TIMES, Order, Till
from integrations.sandbox.wire import BadRequest, Request, Response, Routes, json_response, number

DEFAULT_REQUESTS = 100
MOST_SECONDS = 10 * 365 * 24 * 60 * 60
_REDEEM_FIELDS = {
    *("code", "shop_entity_id", "override", "notify", "times", "delay_seconds", "timestamp_offset_seconds"),
    *("forge", "as_document", "app_key", "promotion_id", "openid"),
}


class Control:
    """The handlers, by method and path."""

    def __init__(
        self, *, store: Store, faults: Faults, limits: Limits, till: Till, callbacks: Callbacks, pushes: Pushes
    ) -> None:
        self.store = store
        self.faults = faults
        self.limits = limits
        self.till = till
        self.callbacks = callbacks
        self.pushes = pushes
        self.routes: Routes = {
            ("GET", "/control/faults"): self.show_faults,
            ("POST", "/control/faults"): self.set_faults,
            ("DELETE", "/control/faults"): self.clear_faults,
            ("GET", "/control/ledger"): self.show_ledger,
            ("GET", "/control/requests"): self.show_requests,
            ("GET", "/control/limits"): self.show_limits,
            ("GET", "/control/callbacks"): self.show_callbacks,
            ("POST", "/control/reset"): self.reset,
            ("POST", "/control/redeem"): self.redeem,
            ("POST", "/control/push"): self.push,
        }

    def show_faults(self, request: Request) -> Response:
        """The rules and how often each fired."""
        return json_response(self.faults.report())

    def set_faults(self, request: Request) -> Response:
        """Replace all rules."""
        data = request.json()
        rules = data.get("rules", [])
        seed = data.get("seed", DEFAULT_SEED)
        if not isinstance(rules, list) or not isinstance(seed, int):
            raise BadRequest("rules must be a list and seed a whole number")
        try:
            self.faults.replace([read_rule(rule) for rule in rules], seed)
        except BadRule as error:
            raise BadRequest(str(error)) from None
        return json_response(self.faults.report())

    def clear_faults(self, request: Request) -> Response:
        """Remove all rules."""
        self.faults.replace([])
        return json_response(self.faults.report())

    def show_ledger(self, request: Request) -> Response:
        """Promotions, coupons and counters; filters `code`, `promotion_id`, `limit`."""
        query = request.query
        return json_response(
            ledger.report(
                self.store,
                code=query.get("code", "").strip(),
                promotion_id=query.get("promotion_id", "").strip(),
                limit=_limit(request, -1, 1_000_000_000),
            )
        )

    def show_requests(self, request: Request) -> Response:
        """The last router calls; filters `method`, `code`, `limit`."""
        return json_response(
            {
                "requests": ledger.requests(
                    self.store,
                    method=request.query.get("method", ""),
                    code=request.query.get("code", ""),
                    limit=_limit(request, DEFAULT_REQUESTS, REQUEST_LOG_ROWS),
                )
            }
        )

    def show_limits(self, request: Request) -> Response:
        """The most calls in a second and at once, by app key."""
        return json_response({"accounts": self.limits.report()})

    def show_callbacks(self, request: Request) -> Response:
        """The last callbacks with their answers; filters `code`, `limit`."""
        limit = _limit(request, DEFAULT_REQUESTS, REQUEST_LOG_ROWS)
        code = request.query.get("code", "").strip()
        return json_response({"callbacks": self.callbacks.shown(code=code, limit=limit)})

    def reset(self, request: Request) -> Response:
        """Forget everything: store, faults, figures."""
        self.store.reset()
        self.faults.replace([])
        self.limits.reset()
        return json_response({"reset": True})

    def redeem(self, request: Request) -> Response:
        """Act as the till does, and give back the portal's answers."""
        outcome = self.till.redeem(_order(request.json()))
        callbacks = [self.callbacks.get(callback_id) for callback_id in outcome.callbacks]
        return json_response(
            {
                "redeemed": outcome.redeemed,
                "refusals": [dataclasses.asdict(refusal) for refusal in outcome.refusals],
                "callbacks": callbacks,
            }
        )

    def push(self, request: Request) -> Response:
        """Push an example of a coupon to the portal, for a `merchant_id`, under a `token`, in a `revision`."""
        data = request.json()
        said = {name: str(data.get(name) or "") for name in ("token", "merchant_id", "developer_key", "platform")}
        revision = data.get("revision")
        if not said["token"] or not said["merchant_id"] or revision not in revisions.REVISIONS:
            raise BadRequest("token, merchant_id and a known revision are needed")
        fields = revisions.example(
            revision, revisions.COUPON, merchant_id=said["merchant_id"], customer="", coupon=None, coupon_id=""
        )
        body = revisions.signed(revision, revisions.pretty(fields), said["developer_key"])
        _push_id, answer = self.pushes.send_as(
            said["token"], platform=said["platform"], kind=revisions.COUPON, revision=revision, body=body
        )
        return json_response({"http_status": answer.status, "answer": answer.text, "body": body})


def _order(data: dict[str, Any]) -> Order:
    unknown = set(data) - _REDEEM_FIELDS
    code = str(data.get("code") or "").strip()
    if unknown or not code:
        raise BadRequest(f"unknown field: {', '.join(sorted(unknown))}" if unknown else "code is missing")
    times = _whole(data, "times", 1)
    if not 1 <= times <= MOST_TIMES:
        raise BadRequest(f"times must be from 1 to {MOST_TIMES}")
    delay_seconds = _whole(data, "delay_seconds", 0)
    return Order(
        code=code,
        shop_entity_id=str(data.get("shop_entity_id") or ""),
        override=data.get("override", False) is True,
        notify=data.get("notify", True) is True,
        times=times,
        delay_ms=delay_seconds * 1000 if delay_seconds > 0 else None,
        timestamp_offset_ms=_whole(data, "timestamp_offset_seconds", 0) * 1000,
        forge=data.get("forge", False) is True,
        as_document=data.get("as_document", False) is True,
        app_key=str(data.get("app_key") or ""),
        promotion_id=str(data.get("promotion_id") or ""),
        openid=str(data.get("openid") or ""),
    )


def _whole(data: dict[str, Any], name: str, default: int) -> int:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST_SECONDS:
        raise BadRequest(f"{name} must be a whole number, and not an absurd one")
    return value


def _limit(request: Request, default: int, most: int) -> int:
    text = request.query.get("limit", "")
    if not text:
        return default
    limit = number(text)
    if limit is None:
        raise BadRequest("limit must be a whole number")
    return min(limit, most)
