"""The redemption callbacks (seed, section 9): a queue in the store, sent until the portal says success.

A callback keeps the time of its redemption however late it is sent, so a repeat is the same message again.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from integrations.sandbox.clock import now_ms
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.outgoing import Answer, post
from integrations.sandbox.signing import dfire_sign
from integrations.sandbox.store import Store

HOOK_PATH = "/hooks/dfire/"
FORM = "application/x-www-form-urlencoded;charset=UTF-8"
FIRST_RETRY_MS = 1_000
LONGEST_RETRY_MS = 5 * 60 * 1000
KEEP_TRYING_MS = 12 * 60 * 60 * 1000
LOOK_EVERY_SECONDS = 0.25
MOST_AT_ONCE = 8

PENDING, SENDING, ACCEPTED, REFUSED, GIVEN_UP = "pending", "sending", "accepted", "refused", "given_up"


class Callbacks:
    """The queue and the thread that works it off."""

    def __init__(self, *, config: ConfigFile, store: Store) -> None:
        self.config = config
        self.store = store
        self._stopping = threading.Event()
        self._slots = threading.Semaphore(MOST_AT_ONCE)
        self._thread = threading.Thread(target=self._work, name="sandbox-callbacks", daemon=True)

    def start(self) -> None:
        """Take up what an earlier run left in the middle, and begin to send what is due."""
        with self.store.locked() as db:
            db.execute("UPDATE callbacks SET status = ? WHERE status = ?", [PENDING, SENDING])
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; what is unanswered is sent after the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def enqueue(self, *, code: str, app_key: str, params: Mapping[str, str], forged: bool, delay_ms: int | None) -> int:
        """Keep a callback. With a delay the queue sends it; with None the caller does, by `send`."""
        status = PENDING if delay_ms is not None else SENDING
        now = now_ms()
        with self.store.locked() as db:
            cursor = db.execute(
                "INSERT INTO callbacks (created_at, code, app_key, params, forged, status, next_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [now, code, app_key, json.dumps(params), int(forged), status, now + (delay_ms or 0)],
            )
            return int(cursor.lastrowid or 0)

    def send(self, callback_id: int) -> None:
        """Send one callback now, also one that was answered before, and note the answer."""
        with self.store.locked() as db:
            row = db.execute(
                "UPDATE callbacks SET status = ?, attempts = attempts + 1 WHERE id = ? RETURNING *",
                [SENDING, callback_id],
            ).fetchone()
        if row is not None:
            self._note(row, self._post(row))

    def shown(self, *, code: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """The latest callbacks, of one code or of all."""
        rows = self.store.rows("SELECT * FROM callbacks WHERE ? IN ('', code) ORDER BY id DESC LIMIT ?", [code, limit])
        return [describe(row) for row in rows]

    def get(self, callback_id: int) -> dict[str, Any] | None:
        """One callback."""
        row = self.store.row("SELECT * FROM callbacks WHERE id = ?", [callback_id])
        return describe(row) if row else None

    def _post(self, row: sqlite3.Row) -> Answer:
        config = self.config.current()
        account = config.account(row["app_key"])
        if account is None:
            return Answer(None, "UnknownAccount", 0)
        params = json.loads(row["params"])
        secret = secrets.token_hex(16) if row["forged"] else account.app_secret
        params["sign"] = dfire_sign(params, secret)
        return post(config.portal_url, HOOK_PATH, urlencode(params).encode(), FORM)

    def _note(self, row: sqlite3.Row, answer: Answer) -> None:
        now = now_ms()
        if _is_success(answer):
            status = ACCEPTED
        elif row["forged"]:
            status = REFUSED
        else:
            status = GIVEN_UP if now - row["created_at"] > KEEP_TRYING_MS else PENDING
        wait = min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** min(row["attempts"] - 1, 16))
        with self.store.locked() as db:
            db.execute(
                "UPDATE callbacks SET status = ?, next_at = ?, http_status = ?, answer = ?, milliseconds = ?,"
                " answered_at = ? WHERE id = ?",
                [status, now + wait, answer.status, answer.text, answer.milliseconds, now, row["id"]],
            )

    def _work(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_SECONDS):
            due = self.store.rows(
                "SELECT id FROM callbacks WHERE status = ? AND next_at <= ? ORDER BY next_at LIMIT 100",
                [PENDING, now_ms()],
            )
            for (callback_id,) in due:
                self._slots.acquire()
                if self._stopping.is_set():
                    return
                with self.store.locked() as db:
                    db.execute("UPDATE callbacks SET status = ? WHERE id = ?", [SENDING, callback_id])
                threading.Thread(target=self._send_in_slot, args=[callback_id], daemon=True).start()

    def _send_in_slot(self, callback_id: int) -> None:
        try:
            self.send(callback_id)
        finally:
            self._slots.release()


def describe(row: sqlite3.Row) -> dict[str, Any]:
    """A callback as the control API and the pages show it."""
    return {
        "id": row["id"],
        "code": row["code"],
        "created_at": row["created_at"],
        "status": row["status"],
        "accepted": row["status"] == ACCEPTED,
        "forged": bool(row["forged"]),
        "attempts": row["attempts"],
        "next_at": row["next_at"] if row["status"] == PENDING else None,
        "http_status": row["http_status"],
        "answer": row["answer"],
        "milliseconds": row["milliseconds"],
        "answered_at": row["answered_at"],
    }


def _is_success(answer: Answer) -> bool:
    if answer.status != 200:
        return False
    try:
        body = json.loads(answer.text)
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("success") is True
