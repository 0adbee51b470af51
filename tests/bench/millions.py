"""Measures pages with millions of coupons: `.venv/bin/python -m tests.bench.millions --folder /var/tmp/millions`.

The folder keeps its servers' data: a second run measures again without filling. Each figure is the median of many runs
of the whole request through Django's test client, beside what `SELECT 1` takes in the same minute.
"""

import argparse
from pathlib import Path

from tests.bench.servers import django_on

COUPONS = 3_000_000


def main() -> None:
    """Start the servers, fill once, measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, required=True, help="where the data is kept")
    options.add_argument("--coupons", type=int, default=COUPONS)
    options.add_argument("--runs", type=int, default=15)
    chosen = options.parse_args()
    with django_on(chosen.folder):
        from django.contrib.auth.models import User

        from tests.bench.filling import fill
        from tests.bench.measuring import measure

        if not User.objects.filter(username="lili").exists():
            fill(chosen.coupons, lambda words: print(words, flush=True))
        measure(chosen.runs)


if __name__ == "__main__":
    main()
