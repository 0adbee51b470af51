"""Whatever process writes to the log, it writes JSON lines in one form: Celery, granian and gunicorn too."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from celery import current_app

from config.embedded.places import CHECKOUT
from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import doorbell
from tests.e2e.portal import free_port, until
from tests.factories import published
from tests.outbox.helpers import one_coupon
from tests.outbox.workers import environment

pytestmark = pytest.mark.django_db(transaction=True)
PYTHON = [sys.executable, "-m"]


def parsed(log: Path) -> list[dict[str, Any]]:
    """Every line of a log; each has to be an object."""
    return [json.loads(line) for line in log.read_text().splitlines()]


class Process:
    """A process whose standard error goes to a file."""

    def __init__(self, log: Path, *command: str, **changes: str) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*PYTHON, *command], cwd=CHECKOUT, env=environment() | {"LOG_FORMAT": "json"} | changes,
                stdout=subprocess.DEVNULL, stderr=output,
            )  # fmt: skip

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def test_a_worker_writes_lines_with_the_tasks_id(merchant: Any, tmp_path: Path) -> None:
    template: CouponTemplate = published(merchant=merchant)
    coupon = one_coupon(template)
    with Process(tmp_path / "worker.log", "celery", "-A", "config", "worker") as worker:
        doorbell.ring()
        until(lambda: OutboxRow.objects.filter(coupon=coupon, state=RowState.DONE).exists(), seconds=40)
        until(lambda: f'"coupon_id": {coupon.pk}' in worker.log.read_text(), seconds=5)
    found = parsed(worker.log)
    (attempt,) = [line for line in found if line["event"] == "outbox_attempt" and line["coupon_id"] == coupon.pk]
    assert len(attempt["task_id"]) == 36
    assert (attempt["level"], attempt["result"]) == ("info", "ok")
    assert any("ready" in line["event"] for line in found), "Celery's own lines are there"


def test_a_task_that_fails_says_why_once_with_its_id(tmp_path: Path) -> None:
    nowhere = "postgresql://portal:pa55word@127.0.0.1:9/none"
    with Process(tmp_path / "worker.log", "celery", "-A", "config", "worker", DATABASE_URL=nowhere) as worker:
        sent = current_app.send_task("integrations.tasks.expire_coupons", expires=60)
        until(lambda: "task_failed" in worker.log.read_text(), seconds=40)
        time.sleep(0.5)
    (line,) = [line for line in parsed(worker.log) if "exception" in line and line.get("task_id") == sent.id]
    assert (line["event"], line["level"]) == ("task_failed", "error")
    assert "OperationalError" in line["exception"]
    assert "pa55word" not in worker.log.read_text()


@pytest.mark.parametrize("server", ["granian", "gunicorn"])
def test_a_web_servers_own_lines_have_the_same_form(server: str, tmp_path: Path) -> None:
    port = str(free_port())
    config = "config/server_logs.json"
    command = {
        "granian": ["granian", "--interface", "wsgi", "--port", port, "--log-config", config],
        "gunicorn": ["gunicorn", "--bind", f"127.0.0.1:{port}", "--log-config-json", config],
    }[server]
    with Process(tmp_path / "web.log", *command, "config.wsgi:application") as web:
        until(lambda: _status(port, "/healthz") == 200, seconds=40)
        assert _status(port, "/hooks/dfire/") == 405
        until(lambda: "request_finished" in web.log.read_text(), seconds=5)
    found = parsed(web.log)
    assert {line["logger"] for line in found} >= {
        {"granian": "_granian", "gunicorn": "gunicorn.error"}[server],
        "django_structlog.middlewares.request",
    }
    assert all({"timestamp", "level", "event"} <= line.keys() for line in found)


def _status(port: str, path: str) -> int:
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=2).status_code
    except requests.RequestException:
        return 0
