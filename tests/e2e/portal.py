"""The whole portal as real processes, each started by hand as the contract says: web, worker, beat, sandbox.

With a PostgreSQL and a Redis of its own, so that a test may stop them.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests

from config.embedded.places import CHECKOUT, Place
from config.embedded.servers import Servers

T = TypeVar("T")
HTTP_SECONDS = 10
TOKEN = "e2e-token"
REPORTS = {"app_id": "portal-at-maxfun", "app_secret": "consume-s3cr3t"}
APP_KEY, APP_SECRET = "e2e-key", "e2e-secret"
MOBILE = "13800138000"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(seen: Callable[[], T], *, seconds: float) -> T:
    """What `seen` returns once it is true; the last false thing, as an error, when the time is up."""
    end = time.monotonic() + seconds
    while not (value := seen()):
        if time.monotonic() > end:
            raise AssertionError(f"not seen within {seconds} s: {value!r}")
        time.sleep(0.05)
    return value


class Portal:
    """Everything that `make run` starts, under a test's control. `durable`: what is committed outlives a crash."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="coupon-e2e-", dir="/tmp"))
        self.folder.chmod(0o711)
        self.servers = Servers(Place(self.folder / "var"), durable=durable, say=lambda words: None)
        (self.folder / "var").mkdir(mode=0o711)
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.visits = 0
        running = self.servers.start()
        self.environment = {
            **os.environ,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DFIRE_SANDBOX": "on",
            "REQUIRE_TWO_FACTOR": "off",  # tests/people looks at it
            "DATABASE_URL": running["postgres"].url,
            "REDIS_URL": running["redis"].url,
        }
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)

    def manage(self, *arguments: str) -> str:
        """Run one management command and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commands(self) -> dict[str, list[str]]:
        """How each part is started."""
        python = [sys.executable, "-m"]
        return {
            "web": [*python, "granian", "--interface", "wsgi", "--port", str(self.web_port), "--workers", "2",
                    "--blocking-threads", "4", "--no-access-log", "config.wsgi:application"],
            "worker": [*python, "celery", "-A", "config", "worker"],
            "beat": [*python, "celery", "-A", "config", "beat"],
            "sandbox": [sys.executable, "manage.py", "sandbox", "--port", str(self.sandbox_port),
                        "--config", str(self.folder / "sandbox.json"),
                        "--store", str(self.folder / "sandbox.sqlite3")],
        }  # fmt: skip

    def start(self, name: str) -> None:
        """Start (or start again) one of the parts."""
        command = self.commands()[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=CHECKOUT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """`kill -9` one of the parts with all of its children."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def up(self) -> None:
        """Migrate, provision, start every part and wait until all answer."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        self.manage("provision", str(self.provisioning()))
        config = {
            "portal_url": self.url,
            "accounts": [{"app_key": APP_KEY, "app_secret": APP_SECRET}],
            "platforms": [{"name": "maxfun", "token": TOKEN, "merchant_ids": ["88"], "customers": [MOBILE], **REPORTS}],
        }
        (self.folder / "sandbox.json").write_text(json.dumps(config))
        for name in ("sandbox", "web", "worker", "beat"):
            self.start(name)
        until(self._answers, seconds=60)

    def save_logs(self, folder: str) -> None:
        """Copy the processes' logs, to read after a failure."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for log in self.folder.glob("*.log"):
            shutil.copy(log, folder)

    def down(self) -> None:
        """End everything."""
        for name in list(self.processes):
            self.kill(name)
        self.servers.stop(at_once=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def provisioning(self) -> Path:
        """The seed's merchant 88 with one customer, at the sandbox."""
        path = self.folder / "provisioning.json"
        account = {"name": "sandbox", "base_url": f"{self.sandbox_url}/router", "timeout_seconds": 1}
        merchant = {"merchant_id": "88", "name": "谷雨小馆", "dfire_account": "sandbox"}
        ids = {"entity_id": "99927548", "plate_entity_id": "99927571", "appid": "wxa0000000027822"}
        customer = {"merchant_id": "88", "identifier": MOBILE, "mobile": MOBILE, "openid": "o3Pm6uD6KVk"}
        document = {
            "dfire_accounts": [{**account, "app_key": APP_KEY, "app_secret": APP_SECRET}],
            "merchants": [{**merchant, **ids, "shops": [{"entity_id": "00026863", "name": "西湖店"}]}],
            "smart_coupon_accounts": [
                {
                    "name": "maxfun",
                    "token": TOKEN,
                    "merchants": ["88"],
                    "consume_base_url": self.sandbox_url,
                    **REPORTS,
                }
            ],
            "customers": [customer],
        }
        path.write_text(json.dumps(document))
        return path

    def push(self, address: str, body: dict[str, Any]) -> requests.Response:
        """Push as the smart-coupon platform does."""
        return requests.post(f"{self.url}/hooks/smart-coupon/{TOKEN}/{address}/", json=body, timeout=HTTP_SECONDS)

    def reported(self, code: str) -> bool:
        """Whether the platform has been told that a coupon is redeemed."""
        page = requests.get(f"{self.sandbox_url}/platform", timeout=HTTP_SECONDS).text
        return f'href="/till?code={code}"' in page

    def ledger(self) -> dict[str, Any]:
        """What the sandbox holds."""
        answer: dict[str, Any] = requests.get(f"{self.sandbox_url}/control/ledger", timeout=HTTP_SECONDS).json()
        return answer

    def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Tell the sandbox something."""
        answer = requests.post(f"{self.sandbox_url}/control/{path}", json=body, timeout=HTTP_SECONDS)
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def held(self, code: str) -> dict[str, Any] | None:
        """The coupon as the sandbox holds it."""
        return next((coupon for coupon in self.ledger()["coupons"] if coupon["code"] == code), None)

    def _answers(self) -> bool:
        try:
            ready = requests.get(f"{self.url}/readyz", timeout=1).ok
            return ready and requests.get(f"{self.sandbox_url}/", timeout=1).ok
        except requests.RequestException:
            return False
