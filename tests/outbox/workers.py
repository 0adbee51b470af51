"""Worker processes of their own, on the tests' database and broker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[2]

_DRAINS = """
import sys, time
import django
django.setup()
from django.db import connection
from integrations.models import OutboxRow
from integrations.outbox import engine
connection.ensure_connection()
print("ready", flush=True)
sys.stdin.readline()
while OutboxRow.objects.filter(state__in=["queued", "sending"]).exists():
    engine.drain()
    time.sleep(0.05)
"""


def environment() -> dict[str, str]:
    """The tests' environment, with the tests' database in place of the empty one beside it."""
    url = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "DATABASE_URL": url._replace(path=f"/{name}").geturl(),
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
    }


def draining_processes(count: int) -> list[subprocess.Popen[str]]:
    """So many processes that drain until nothing is left, begun at the same moment."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _DRAINS],
            env=environment(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(count)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


@contextmanager
def celery_worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker; killed at the end if it is still there."""
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", "worker", "--loglevel", "INFO"],
            env=environment(), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield worker
        finally:
            if worker.poll() is None:
                worker.kill()
            worker.wait(10)
