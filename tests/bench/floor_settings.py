"""The portal's settings, bare: for the floor of `tests.bench.requests`."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.floor"
MIDDLEWARE: list[str] = []
