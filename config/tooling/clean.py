"""`make clean`: removes what can be made again. Data and keys go only when they are named, with DATA=yes."""

import os
import shutil
from pathlib import Path

from config.embedded.places import CHECKOUT, HERE
from config.embedded.servers import Servers
from config.supervisor.alone import alone
from config.tooling.environment import VENV
from config.tooling.terminal import say

CACHES = (
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "var/log",
    "var/static",
)
FOLDERS_OF_CODE = ("config", "merchants", "coupons", "integrations", "tests")


def run() -> int:
    """Remove caches, logs and static files; DATA=yes also data and keys, VENV=yes also `.venv`."""
    for name in CACHES:
        _remove(CHECKOUT / name)
    for folder in FOLDERS_OF_CODE:
        for cache in (CHECKOUT / folder).rglob("__pycache__"):
            shutil.rmtree(cache, ignore_errors=True)
    if os.environ.get("VENV") == "yes":
        _remove(VENV)
    if os.environ.get("DATA") == "yes" and HERE.var.exists():
        with alone():
            Servers(HERE).stop()
            _remove(HERE.away)
            _remove(HERE.var)
    elif HERE.var.exists():
        say("Data, keys and first login in var/ are kept; make clean DATA=yes removes them for good.")
    return 0


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
        say(f"removed {folder}")
