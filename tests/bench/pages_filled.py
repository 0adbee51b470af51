"""Migrates a database of `tests.bench.pages` and fills it if it is empty."""

import logging
import sys

import django


def main() -> None:
    """So many coupons, and so many customers for each merchant."""
    coupons, customers_each = map(int, sys.argv[1:])
    django.setup()
    logging.disable(logging.INFO)
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from tests.bench.filling import fill
    from tests.bench.filling_history import fill_history

    call_command("migrate", verbosity=0)
    if not User.objects.filter(username="lili").exists():
        fill(coupons, lambda words: print(words, flush=True), customers_each=customers_each)
    fill_history()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what a new index knows of its expressions


if __name__ == "__main__":
    main()
