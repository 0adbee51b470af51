"""The sandbox's own SQLite file: one connection, one lock, commits gathered by a clock.

Thousands of small writes a second would otherwise spend their time in commits. A commit happens every
fraction of a second and at the end, always between two operations, so a restart finds whole operations.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

COMMIT_SECONDS = 0.2
REQUEST_LOG_ROWS = 20_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS promotions (
  app_key TEXT, promotion_id TEXT, own_id TEXT, entity_id TEXT, plate_entity_id TEXT, appid TEXT, title TEXT,
  promotion_type TEXT, mode TEXT, rules TEXT, start_date TEXT, end_date TEXT, total_num INTEGER,
  dynamic_days INTEGER, channels TEXT, saves INTEGER, delivered INTEGER DEFAULT 0, deleted INTEGER DEFAULT 0,
  updated_at INTEGER, PRIMARY KEY (app_key, promotion_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS promotions_own ON promotions (own_id);
CREATE TABLE IF NOT EXISTS coupons (
  code TEXT PRIMARY KEY, app_key TEXT, promotion_id TEXT, entity_id TEXT, plate_entity_id TEXT, appid TEXT,
  openid TEXT, mobile TEXT, customer_id TEXT, status TEXT, delivered_at INTEGER, starts_at INTEGER,
  ends_at INTEGER, used_at INTEGER, used_by TEXT DEFAULT '', order_id TEXT DEFAULT '',
  delivered INTEGER DEFAULT 0, verified INTEGER DEFAULT 0, redeemed INTEGER DEFAULT 0,
  deleted INTEGER DEFAULT 0, transferred INTEGER DEFAULT 0, killed INTEGER DEFAULT 0,
  refused_deliveries INTEGER DEFAULT 0, refused_verifies INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS coupons_holder ON coupons (openid, appid);
CREATE INDEX IF NOT EXISTS coupons_promotion ON coupons (app_key, promotion_id);
CREATE TABLE IF NOT EXISTS transfers (
  id INTEGER PRIMARY KEY, code TEXT, appid TEXT, from_openid TEXT, to_openid TEXT, at INTEGER);
CREATE INDEX IF NOT EXISTS transfers_giver ON transfers (from_openid, appid);
CREATE TABLE IF NOT EXISTS receipts (
  app_key TEXT, promotion_id TEXT, openid TEXT, day TEXT, count INTEGER,
  PRIMARY KEY (app_key, promotion_id, openid, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effects (
  id INTEGER PRIMARY KEY, at INTEGER, method TEXT, effect TEXT, app_key TEXT, code TEXT, promotion_id TEXT,
  openid TEXT, order_id TEXT);
CREATE INDEX IF NOT EXISTS effects_code ON effects (code);
CREATE TABLE IF NOT EXISTS requests (
  id INTEGER PRIMARY KEY, at INTEGER, method TEXT, code TEXT, app_key TEXT, params TEXT, fault TEXT,
  outcome TEXT, answer TEXT, milliseconds REAL);
CREATE TABLE IF NOT EXISTS callbacks (
  id INTEGER PRIMARY KEY, created_at INTEGER, code TEXT, app_key TEXT, params TEXT, forged INTEGER,
  status TEXT, attempts INTEGER DEFAULT 0, next_at INTEGER, http_status INTEGER, answer TEXT DEFAULT '',
  milliseconds REAL, answered_at INTEGER);
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (status, next_at);
CREATE INDEX IF NOT EXISTS callbacks_code ON callbacks (code);
CREATE TABLE IF NOT EXISTS pushes (
  id INTEGER PRIMARY KEY, at INTEGER, platform TEXT, kind TEXT, revision INTEGER, body TEXT,
  http_status INTEGER, answer TEXT, milliseconds REAL);
CREATE TABLE IF NOT EXISTS reports (
  platform TEXT, coupon_id TEXT, first_at INTEGER, last_at INTEGER, count INTEGER,
  PRIMARY KEY (platform, coupon_id)) WITHOUT ROWID;
"""
TABLES = (
    *("promotions", "coupons", "transfers", "receipts", "effects"),
    *("requests", "callbacks", "pushes", "reports"),
)


class Store:
    """The one connection. `locked()` is an operation: it validates before it writes, never half."""

    def __init__(self, path: Path | str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, cached_statements=256)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)
        self._lock = threading.RLock()
        self._log: list[tuple[object, ...]] = []
        self._log_lock = threading.Lock()
        self._stopping = threading.Event()
        self._committer = threading.Thread(target=self._commit_regularly, name="sandbox-commit", daemon=True)
        self._committer.start()

    @contextmanager
    def locked(self) -> Iterator[sqlite3.Connection]:
        """The connection for one whole operation, inside the running transaction."""
        with self._lock:
            if not self._db.in_transaction:
                self._db.execute("BEGIN")
            yield self._db

    def rows(self, sql: str, args: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    def row(self, sql: str, args: Sequence[object] = ()) -> sqlite3.Row | None:
        """The first row of a query, if any."""
        with self._lock:
            found: sqlite3.Row | None = self._db.execute(sql, args).fetchone()
            return found

    def log_request(self, entry: tuple[object, ...]) -> None:
        """Keep a router call for the request log; it reaches the file with the next commit."""
        with self._log_lock:
            self._log.append(entry)

    def commit(self) -> None:
        """Write the pending request log and commit."""
        with self._log_lock:
            pending, self._log = self._log, []
        with self._lock:
            if pending:
                self._write_log(pending)
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def reset(self) -> None:
        """Empty every table."""
        self.commit()
        with self.locked() as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")  # nosec B608 # names from the constant above
        self.commit()

    def close(self) -> None:
        """Commit what is pending and close the file."""
        self._stopping.set()
        self._committer.join(timeout=5)
        self.commit()
        with self._lock:
            self._db.close()

    def _write_log(self, pending: list[tuple[object, ...]]) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO requests (at, method, code, app_key, params, fault, outcome, answer, milliseconds)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            pending,
        )
        self._db.execute("DELETE FROM requests WHERE id <= (SELECT MAX(id) FROM requests) - ?", [REQUEST_LOG_ROWS])

    def _commit_regularly(self) -> None:
        while not self._stopping.wait(COMMIT_SECONDS):
            self.commit()
