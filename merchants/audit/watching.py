"""Which tables are watched, and which of their columns tell nothing: counters, moments of last use, what is in step.

The triggers themselves stand in migrations, which are frozen; tests/audit compares the two, and both with the models.
"""

import re
from functools import lru_cache

# What this application watches; the layers above add theirs as they start.
OURS: dict[str, tuple[str, ...]] = {
    "merchants_merchant": ("id",),
    "merchants_shop": ("id",),
    "merchants_dfireaccount": ("id",),
    "merchants_smartcouponaccount": ("id", "previous_used_at"),
    "merchants_smartcouponaccount_merchants": (),
    "merchants_merchantscope_merchants": (),
    "merchants_customerfile": (
        *("id", "created_by_id", "created_at", "started_at", "finished_at", "size", "position", "problem"),
        *("new", "change", "equal", "bad", "waiting", "created", "changed", "same", "refused", "released"),
    ),
    "auth_user": ("id", "last_login", "date_joined"),
    "auth_user_groups": (),
    "auth_user_user_permissions": (),
    "auth_group": ("id",),
    "auth_group_permissions": (),
    "otp_totp_totpdevice": (
        *("id", "throttling_failure_timestamp", "throttling_failure_count", "created_at", "last_used_at"),
        *("step", "t0", "digits", "tolerance", "drift", "last_t"),
    ),
}
_TABLES: dict[str, frozenset[str]] = {}
_WRITES = re.compile(r'\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:ONLY\s+)?"?(\w+)"?', re.IGNORECASE)
_SET = re.compile(r"\bSET\s+(.*?)(?:\sWHERE\s|\sFROM\s|$)", re.IGNORECASE | re.DOTALL)
_COLUMN = re.compile(r'(?:^|,)\s*"?(\w+)"?\s*=')


def watch(**tables: tuple[str, ...]) -> None:
    """Watch these tables, each but for the columns named. Called once, as the application starts."""
    for table, left_out in tables.items():
        _TABLES[table] = frozenset(left_out)
    is_watched.cache_clear()


def watched() -> dict[str, frozenset[str]]:
    """The tables, and which of their columns are left out."""
    return dict(_TABLES)


def writes(sql: object) -> bool:
    """Whether a statement may write something that is watched. Nearly all are told apart by how they begin."""
    return isinstance(sql, str) and not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE")) and is_watched(sql)


@lru_cache(maxsize=2048)
def is_watched(sql: str) -> bool:
    """Whether one of the tables is written, and a column of it that is watched."""
    for found in _WRITES.finditer(sql):
        left_out = _TABLES.get(found[1])
        if left_out is not None and not _counts_only(sql[found.start() :], left_out):
            return True
    return False


def _counts_only(sql: str, left_out: frozenset[str]) -> bool:
    """Whether it is an update of columns that are left out, and of no others; what is hard to read is not."""
    plain = sql[:6].upper() == "UPDATE" and "SELECT" not in sql.upper()
    changed = _SET.search(sql) if plain and left_out else None
    return changed is not None and left_out.issuperset(_COLUMN.findall(changed[1]))
