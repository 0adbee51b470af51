#!/usr/bin/env python
"""The command line of the portal: `python manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    """Run one management command."""
    if sys.argv[1:2] == ["embedded"]:
        # The embedded servers come before any setting: they must start where nothing is configured yet.
        from config import embedded

        raise SystemExit(embedded.main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from merchants.audit.who import begin, command

    try:
        begin(command(sys.argv[1] if len(sys.argv) > 1 else "help"))
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        raise SystemExit(f"Configuration: {error}") from None


if __name__ == "__main__":
    main()
