"""The smart-coupon platform's endpoints for consume reports: a token, then the ids of redeemed coupons.

Tokens do not expire (PROTOCOLS, section 2), so they are derived from the credentials and need no table.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3

from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import ConfigFile, Platform
from integrations.sandbox.store import Store
from integrations.sandbox.wire import BadRequest, Request, Response, Routes, json_response

BAD_INPUT, BAD_CREDENTIALS = "VA01", "SE03"
MOST_IDS = 1_000


class ConsumeReports:
    """Answers the portal's reports and keeps what they name."""

    def __init__(self, *, config: ConfigFile, store: Store) -> None:
        self.config = config
        self.store = store
        self.routes: Routes = {
            ("GET", "/tp/services/token"): self.token,
            ("POST", "/tp/services/consume_coupon"): self.consume,
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


def _token(platform: Platform) -> str:
    return hmac.new(platform.app_secret.encode(), platform.app_id.encode(), hashlib.sha256).hexdigest()


def _answer(code: str, message: str, result: object) -> Response:
    return json_response({"status": {"code": code, "message": message}, "result": result})
