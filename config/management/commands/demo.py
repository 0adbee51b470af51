"""`manage.py demo`: the demo data of `make run`."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo.loading import Files, load


class Command(BaseCommand):
    """Loads the demo where it is missing, and says what it did."""

    help = "Load the demo data and make the first administrator. Needs DFIRE_SANDBOX=on."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it."""
        if not settings.DFIRE_SANDBOX:
            raise CommandError("The demo belongs to the sandbox: set DFIRE_SANDBOX=on, and never in production.")
        portal_url = os.environ.get("PORTAL_URL", "http://127.0.0.1:8000")
        lines = load(Files(settings.BASE_DIR / "var"), portal_url=portal_url, sandbox_url=settings.SANDBOX_URL)
        for line in lines:
            self.stdout.write(line)
