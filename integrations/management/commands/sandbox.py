"""`python manage.py sandbox`: the stand-in for dfire and the smart-coupon platform, until told to stop."""

from __future__ import annotations

import signal
import sqlite3
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.sandbox.server import Sandbox

FOLDER = "var"


class Command(BaseCommand):
    """Needs no database: the sandbox has a store of its own."""

    help = "Run the dfire sandbox: router, till, smart-coupon platform and fault injection."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, and the two files."""
        folder = Path(settings.BASE_DIR) / FOLDER
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=9100, help="0 = a free one (default: %(default)s)")
        parser.add_argument(
            "--config", type=Path, default=folder / "sandbox.json", help="accounts and the portal's address"
        )
        parser.add_argument("--store", type=Path, default=folder / "sandbox.sqlite3", help="the till ledger's file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT."""
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        config_path = Path(options["config"])
        try:
            sandbox = Sandbox(options["host"], options["port"], config_path, options["store"]).start()
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"the sandbox cannot start: {error}") from None
        self.stdout.write(f"sandbox ready at {sandbox.url}")
        if not config_path.exists():
            self.stderr.write(f"{config_path} does not exist yet: every call is refused until it does")
        self.stdout.flush()
        stopping.wait()
        sandbox.stop()
        self.stdout.write("sandbox stopped")
