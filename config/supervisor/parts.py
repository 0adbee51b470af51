"""The parts of the portal as command lines: web, worker, scheduler and, for trying things out, the dfire
sandbox.
"""

import sys

from config.embedded.places import CHECKOUT, HERE
from config.supervisor.environment import Addresses

WEB_WORKERS, WEB_THREADS = 2, 4


def parts(where: Addresses, *, sandbox: bool) -> dict[str, list[str]]:
    """Command lines by the name of the part."""
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    commands = {
        "web": [
            *[sys.executable, "-m", "granian", "--interface", "wsgi", "--no-access-log", "--no-ws"],
            *["--log-config", str(CHECKOUT / "config" / "server_logs.json")],
            *["--host", where.host, "--port", str(where.port)],
            *["--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)],
            *["--respawn-failed-workers", "--workers-kill-timeout", "4"],
            "config.wsgi:application",
        ],
        "worker": [*celery, "worker", "--without-gossip", "--without-mingle"],
        "scheduler": [*celery, "beat"],
    }
    if sandbox:
        commands["sandbox"] = [
            *[sys.executable, str(CHECKOUT / "manage.py"), "sandbox", "--port", str(where.sandbox_port)],
            *["--config", str(HERE.var / "sandbox.json"), "--store", str(HERE.var / "sandbox.sqlite3")],
        ]
    return commands
