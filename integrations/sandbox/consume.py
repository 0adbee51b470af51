"""The smart-coupon platform's endpoints for consume reports: a token, then the ids of redeemed coupons.

Both can be made to misbehave, as `platform.token` and `platform.consume`; a refusal is in the platform's own form.

Tokens do not expire (PROTOCOLS, section 2), so they are derived from the credentials and need no table.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import time
from collections.abc import Callable

from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import ConfigFile, Platform
from integrations.sandbox.faults import AFTER, CONSUME, TOKEN, Faults, Verdict
from integrations.sandbox.misbehaviour import after_acting, before_acting
from integrations.sandbox.store import Store
from integrations.sandbox.wire import BadRequest, Request, Response, Routes, json_response

BAD_INPUT, BAD_CREDENTIALS, SERVER_ERROR, CALCULATING = "VA01", "SE03", "SE05", "SE06"
_REFUSALS = {"busy": SERVER_ERROR, "refuse": "SE02", "bad_signature": BAD_CREDENTIALS, "rate_limited": CALCULATING}
MOST_IDS = 1_000


class ConsumeReports:
    """Answers the portal's reports and keeps what they name."""

    def __init__(self, *, config: ConfigFile, store: Store, faults: Faults) -> None:
        self.config = config
        self.store = store
        self.faults = faults
        self.routes: Routes = {
            ("GET", "/tp/services/token"): lambda request: self._faulty(TOKEN, request, self.token),
            ("POST", "/tp/services/consume_coupon"): lambda request: self._faulty(CONSUME, request, self.consume),
        }

    def token(self, request: Request) -> Response:
        """`GET /tp/services/token?app_id=…&app_secret=…`."""
        app_id, app_secret = request.query.get("app_id", ""), request.query.get("app_secret", "")
        for platform in self._platforms():
            same_secret = hmac.compare_digest(platform.app_secret.encode(), app_secret.encode())
            if platform.app_id == app_id and same_secret:
                return _answer("200", "success", {"access_token": _token(platform)})
        return _answer(BAD_CREDENTIALS, "bad credentials", None)

    def consume(self, request: Request) -> Response:
        """`POST /tp/services/consume_coupon`, a list of ids; a repeat is counted, not refused."""
        platform = self._bearer(request)
        if platform is None:
            return _answer(BAD_CREDENTIALS, "bad credentials", None)
        try:
            ids = request.json().get("coupon_id_list")
        except BadRequest:
            ids = None
        if not isinstance(ids, list) or not 0 < len(ids) <= MOST_IDS:
            return _answer(BAD_INPUT, "coupon_id_list is missing or empty", None)
        if not all(isinstance(coupon_id, str) and coupon_id for coupon_id in ids):
            return _answer(BAD_INPUT, "coupon_id_list must hold strings", None)
        with self.store.locked() as db:
            db.executemany(
                "INSERT INTO reports (platform, coupon_id, first_at, last_at, count)"
                " VALUES (?1, ?2, ?3, ?3, 1) ON CONFLICT (platform, coupon_id)"
                " DO UPDATE SET last_at = excluded.last_at, count = count + 1",
                [(platform.name, coupon_id, now_ms()) for coupon_id in ids],
            )
        return _answer("200", "success", "success")

    def _faulty(self, method: str, request: Request, act: Callable[[Request], Response]) -> Response:
        """Act, with the misbehaviour that was ordered."""
        verdict = self.faults.pick(method, {})
        time.sleep(verdict.delay_before_ms / 1000)
        answer = _refusal(verdict)
        if answer is None:
            answer = act(request)
            answer = after_acting(verdict, answer.body) if verdict.kind in AFTER else answer
        time.sleep(verdict.delay_after_ms / 1000)
        return answer

    def received(self, platform: str, limit: int = 50) -> list[sqlite3.Row]:
        """The coupons reported as redeemed, the latest first."""
        return self.store.rows(
            "SELECT * FROM reports WHERE platform = ? ORDER BY last_at DESC LIMIT ?", [platform, limit]
        )

    def _platforms(self) -> list[Platform]:
        return [entry for entry in self.config.current().platforms if entry.app_id and entry.app_secret]

    def _bearer(self, request: Request) -> Platform | None:
        scheme, _, token = request.header("Authorization").partition(" ")
        if scheme.lower() != "bearer":
            return None
        for platform in self._platforms():
            if hmac.compare_digest(_token(platform).encode(), token.strip().encode()):
                return platform
        return None


def _refusal(verdict: Verdict) -> Response | None:
    """The answer of a fault that keeps the call from having any effect; None when the call goes on."""
    if verdict.kind in _REFUSALS:
        return _answer(verdict.code or _REFUSALS[verdict.kind], verdict.message or "ordered", None)
    return before_acting(verdict)


def _token(platform: Platform) -> str:
    return hmac.new(platform.app_secret.encode(), platform.app_id.encode(), hashlib.sha256).hexdigest()


def _answer(code: str, message: str, result: object) -> Response:
    return json_response({"status": {"code": code, "message": message}, "result": result})
