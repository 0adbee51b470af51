"""The sandbox's configuration file: whom it knows and where the portal is.

The file is read again when it changes, so accounts can be added while the sandbox runs. A file that cannot
be read leaves the last good configuration in force and is reported on the overview page.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_PORTAL_URL = "http://127.0.0.1:8000"
DEFAULT_TRANSFER_METHOD = "dfire.shop.transfer.promotion"


@dataclass(frozen=True, slots=True)
class Account:
    """A caller of the router: the portal's app key at dfire."""

    app_key: str
    app_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Platform:
    """An account of the portal at the smart-coupon platform, as the platform sees it."""

    name: str
    token: str = field(repr=False)
    merchant_ids: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    developer_key: str = field(default="", repr=False)
    app_id: str = ""
    app_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """One reading of the file."""

    portal_url: str = DEFAULT_PORTAL_URL
    transfer_method: str = DEFAULT_TRANSFER_METHOD
    accounts: tuple[Account, ...] = ()
    platforms: tuple[Platform, ...] = ()

    def account(self, app_key: str) -> Account | None:
        """The account of an app key."""
        return next((account for account in self.accounts if account.app_key == app_key), None)

    def platform(self, name: str) -> Platform | None:
        """The platform account of a name."""
        return next((platform for platform in self.platforms if platform.name == name), None)


class ConfigFile:
    """The configuration in force; `current()` looks whether the file has changed."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.error = ""
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._config = Config()

    def current(self) -> Config:
        """The latest good reading (an empty configuration while there is no file)."""
        try:
            stat = self.path.stat()
        except OSError:
            self.error = f"{self.path.name}: no such file"
            return self._config
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            with self._lock:
                if stamp != self._stamp:
                    self._read()
                    self._stamp = stamp
        return self._config

    def _read(self) -> None:
        try:
            self._config = parse(json.loads(self.path.read_text(encoding="utf-8")))
            self.error = ""
        except (OSError, ValueError, TypeError, KeyError) as error:
            # Only the kind of error: a message could quote a secret of the file.
            self.error = f"{self.path.name}: {type(error).__name__}"


def parse(data: dict[str, Any]) -> Config:
    """Build a configuration from the file's JSON; raises ValueError, TypeError or KeyError if wrong."""
    portal_url = str(data.get("portal_url") or DEFAULT_PORTAL_URL).rstrip("/")
    if not portal_url.startswith(("http://", "https://")):
        raise ValueError("portal_url")
    return Config(
        portal_url=portal_url,
        transfer_method=str(data.get("transfer_method") or DEFAULT_TRANSFER_METHOD),
        accounts=tuple(
            Account(app_key=str(entry["app_key"]), app_secret=str(entry["app_secret"]))
            for entry in data.get("accounts", [])
        ),
        platforms=tuple(_platform(entry) for entry in data.get("platforms", [])),
    )


def _platform(entry: dict[str, Any]) -> Platform:
    return Platform(
        name=str(entry["name"]),
        token=str(entry["token"]),
        merchant_ids=tuple(str(merchant) for merchant in entry.get("merchant_ids", [])),
        customers=tuple(str(customer) for customer in entry.get("customers", [])),
        developer_key=str(entry.get("developer_key") or ""),
        app_id=str(entry.get("app_id") or ""),
        app_secret=str(entry.get("app_secret") or ""),
    )
