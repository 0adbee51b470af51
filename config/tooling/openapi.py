"""Writes docs/openapi.yaml, the description of the partner API, and says whether it is current."""

import os
import sys

import django

from config.embedded.places import CHECKOUT
from config.tooling.terminal import say


def main(arguments: list[str]) -> int:
    """Write the file; with --check only compare it, and return 1 if it is not what the code says."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from integrations.partner_api.schema.document import FILE, text

    file = CHECKOUT / FILE
    current = file.exists() and file.read_text() == text()
    if "--check" not in arguments:
        file.write_text(text())
        say(f"{FILE}: {'is current' if current else 'written'}")
        return 0
    if not current:
        say(f"{FILE} is not what the code says. Run: make openapi")
    return 0 if current else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
