"""PostgreSQL and Redis of a benchmark's own, and Django on them."""

import logging
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.places import Place
from config.embedded.servers import VARIABLES, Servers


@contextmanager
def django_on(folder: Path, *, durable: bool = False) -> Iterator[None]:
    """Servers whose data stays in the folder, migrated, and Django set up in this process until they stop.

    `durable`: PostgreSQL as in production; else as fast as it goes, and nothing survives a crash.
    """
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    servers = Servers(Place(folder), durable=durable, die_with_us=True, say=lambda words: None)
    try:
        os.environ.update({VARIABLES[name]: server.url for name, server in servers.start().items()})
        os.environ.update(
            SECRET_KEY=secrets.token_urlsafe(48),
            FIELD_ENCRYPTION_KEYS=urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            ALLOWED_HOSTS="testserver",
            REQUIRE_TWO_FACTOR="off",
            DJANGO_SETTINGS_MODULE="config.settings",
            LOG_FORMAT="console",
        )
        import django  # the settings read the environment
        from django.core.management import call_command

        django.setup()
        logging.disable(logging.INFO)
        call_command("migrate", verbosity=0)
        yield
    finally:
        servers.stop()
