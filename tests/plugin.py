"""Gives every test run a real PostgreSQL and a real Redis of its own, and the environment that settings
require.

Loaded by `-p tests.plugin` before pytest-django reads the settings. The servers are thrown away at the end
and die with pytest however it ends; DATABASE_URL and REDIS_URL in the environment mean servers of the user's,
which are left alone.
"""

import atexit
import base64
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest

from config.embedded.account import servers_account
from config.embedded.errors import EmbeddedError
from config.embedded.places import Place
from config.embedded.servers import VARIABLES, Servers

PREFIX = "coupon-tests-"


class ThrowAway:
    """The servers of one test run, in a temporary folder that is locked as long as its owner lives."""

    def __init__(self) -> None:
        self.folder = _folder()
        self._lock = _locked(self.folder)
        self._owner = os.getpid()
        self._servers = Servers(Place(self.folder), durable=False, die_with_us=True, say=lambda words: None)
        atexit.register(self.stop)

    def start(self, names: list[str]) -> dict[str, str]:
        """Start these servers and return their addresses by the variable that names them."""
        return {VARIABLES[name]: server.url for name, server in self._servers.start(names).items()}

    def stop(self) -> None:
        """Stop the servers and remove the folder; a second call and a forked child's do nothing."""
        if self._owner != os.getpid() or not self.folder.exists():
            return
        self._servers.stop(at_once=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Prepare the environment; as a wrapper it goes before pytest-django."""
    options = early_config.known_args_namespace
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["REDIS_URL"] = own_redis_database(os.environ["REDIS_URL"], worker)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] += f"/{worker}"
    elif not (options.help or options.version):
        _prepare(early_config)
    return (yield)


def _prepare(config: pytest.Config) -> None:
    for name, value in {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "REQUIRE_TWO_FACTOR": "off",  # tests/people turns it on
        "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1,[::1]",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright's event loop lives in the tests' thread
    }.items():
        os.environ.setdefault(name, value)
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        counts = tempfile.TemporaryDirectory(prefix="coupon-counts-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts.name
        config.add_cleanup(counts.cleanup)
    missing = [name for name, variable in VARIABLES.items() if variable not in os.environ]
    if not missing:
        return
    servers = ThrowAway()
    config.add_cleanup(servers.stop)
    try:
        os.environ.update(servers.start(missing))
    except EmbeddedError as error:
        raise pytest.UsageError(str(error)) from None


def own_redis_database(url: str, worker: str) -> str:
    """The address with a database of this worker's own: `gw3` moves its number up by 4."""
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + int(worker.removeprefix("gw")) + 1
    return parts._replace(path=f"/{number}").geturl()


def _folder() -> Path:
    """A new temporary folder that the servers' account can reach; removes those of runs that were killed."""
    account = servers_account()
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):
        if Path(parent).is_dir() and account.reaches(Path(parent)):
            break
    for old in Path(parent).glob(f"{PREFIX}*"):
        if old.stat().st_uid == os.geteuid() and (lock := _locked(old)) is not None:
            shutil.rmtree(old, ignore_errors=True)
            lock.close()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    folder.chmod(0o711)
    return folder


def _locked(folder: Path) -> IO[str] | None:
    """Hold the folder's lock until the file is closed; None where another process holds it."""
    lock = (folder / "owner").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
