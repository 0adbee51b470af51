"""The smart-coupon platform's part: sending pushes to the portal and keeping what was sent and answered."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from integrations.sandbox import revisions
from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.outgoing import Answer, post
from integrations.sandbox.store import Store
from integrations.sandbox.wire import JSON

KEPT_PUSHES = 200


class UnknownPlatform(LookupError):
    """The configuration has no account of this name."""


@dataclass(frozen=True, slots=True)
class LastCoupon:
    """The last coupon that the portal accepted: what was pushed, and the id that came back."""

    body: dict[str, Any]
    coupon_id: str


class Pushes:
    """Sends and remembers."""

    def __init__(self, *, config: ConfigFile, store: Store) -> None:
        self.config = config
        self.store = store

    def send(self, *, platform: str, kind: str, revision: int, body: str) -> int:
        """Push this very text, keep the answer, and return the push's id. Raises UnknownPlatform."""
        account = self.config.current().platform(platform)
        if account is None:
            raise UnknownPlatform(platform)
        return self.send_as(account.token, platform=platform, kind=kind, revision=revision, body=body)[0]

    def send_as(self, token: str, *, platform: str, kind: str, revision: int, body: str) -> tuple[int, Answer]:
        """Push under this token, and keep the answer; the push's id and the answer."""
        url = self.config.current().portal_url
        answer = post(url, f"/hooks/smart-coupon/{token}/{kind}/", body.encode(), JSON)
        with self.store.locked() as db:
            cursor = db.execute(
                "INSERT INTO pushes (at, platform, kind, revision, body, http_status, answer, milliseconds)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [now_ms(), platform, kind, revision, body, answer.status, answer.text, answer.milliseconds],
            )
            push_id = int(cursor.lastrowid or 0)
            db.execute("DELETE FROM pushes WHERE id <= ?", [push_id - KEPT_PUSHES])
        return push_id, answer

    def send_again(self, push_id: int) -> int | None:
        """Push the same text once more, as a platform does that saw no answer; None when it is not known."""
        row = self.store.row("SELECT * FROM pushes WHERE id = ?", [push_id])
        if row is None:
            return None
        return self.send(platform=row["platform"], kind=row["kind"], revision=row["revision"], body=row["body"])

    def history(self, platform: str, limit: int = 20) -> list[sqlite3.Row]:
        """The last pushes of an account, the newest first."""
        return self.store.rows("SELECT * FROM pushes WHERE platform = ? ORDER BY id DESC LIMIT ?", [platform, limit])

    def last_coupon(self, platform: str, revision: int) -> LastCoupon | None:
        """The last accepted coupon push of an account in a revision."""
        rows = self.store.rows(
            "SELECT body, answer FROM pushes WHERE platform = ? AND revision = ? AND kind = ?"
            " AND http_status BETWEEN 200 AND 299 ORDER BY id DESC LIMIT 5",
            [platform, revision, revisions.COUPON],
        )
        for row in rows:
            coupon_id = revisions.returned_id(row["answer"], revisions.COUPON)
            if coupon_id:
                return LastCoupon(revisions.fields_of(row["body"]), coupon_id)
        return None
