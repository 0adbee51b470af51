"""Measures pages with millions of coupons: `.venv/bin/python -m tests.bench.millions --folder /var/tmp/millions`.

The folder keeps its servers' data: a second run measures again without filling. Each figure is the median of many runs
of the whole request through Django's test client, beside what `SELECT 1` takes in the same minute.
"""

import argparse
import logging
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

from config.embedded.places import Place
from config.embedded.servers import VARIABLES, Servers

COUPONS = 3_000_000


def main() -> None:
    """Start the servers, fill once, measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, required=True, help="where the data is kept")
    options.add_argument("--coupons", type=int, default=COUPONS)
    options.add_argument("--runs", type=int, default=15)
    chosen = options.parse_args()
    servers = _servers(chosen.folder)
    try:
        _environment(servers)
        _measured(chosen.coupons, chosen.runs)
    finally:
        servers.stop()


def _servers(folder: Path) -> Servers:
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    return Servers(Place(folder), durable=False, die_with_us=True, say=lambda words: None)


def _environment(servers: Servers) -> None:
    os.environ.update({VARIABLES[name]: server.url for name, server in servers.start().items()})
    os.environ.update(
        SECRET_KEY=secrets.token_urlsafe(48),
        FIELD_ENCRYPTION_KEYS=urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        ALLOWED_HOSTS="testserver",
        REQUIRE_TWO_FACTOR="off",
        DJANGO_SETTINGS_MODULE="config.settings",
        LOG_FORMAT="console",
    )


def _measured(coupons: int, runs: int) -> None:
    import django  # the settings read the environment

    django.setup()
    logging.disable(logging.INFO)
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from tests.bench.filling import fill
    from tests.bench.measuring import measure

    call_command("migrate", verbosity=0)
    if not User.objects.filter(username="lili").exists():
        fill(coupons, lambda words: print(words, flush=True))
    measure(runs)


if __name__ == "__main__":
    main()
