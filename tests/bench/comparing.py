"""Measures issuing 10,000 coupons against django-oscar and `bulk_create`: `.venv/bin/python -m tests.bench.comparing`.

The work is `tests.bench.issuing`'s: through the door for many, slice by slice, with history and outbox. Beside it, in
turns and on the same PostgreSQL:

- django-oscar makes a set of as many vouchers, as its dashboard does (`tests.bench.oscar.vouchers`), in a database of
  its own and with a Python of its own, whose packages stay out of the portal's: the first run fills a venv for it.
- the ORM's `bulk_create` makes as many rows of the coupons' table alone: with codes and all columns, on its indexes,
  constraints and triggers, in one transaction; no stock, no limits, no history, no outbox.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.issuing import empty, prepared, seconds, to_ids
from tests.bench.results import Figure, tell
from tests.bench.servers import django_on

_HERE = Path(__file__).parent
_PINS = _HERE / "oscar" / "requirements.txt"
_VENV = Path.home() / ".cache" / "coupon-portal" / "oscar"
_REACH_OSCAR, _REACH_ORM = 25.0, 3.0


def main() -> None:
    """Print a line a run, and the two figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--coupons", type=int, default=10_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--venv", type=Path, default=_VENV, help="where django-oscar is, or is put")
    chosen = options.parse_args()
    python = _filled(chosen.venv)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        with django_on(Path(folder) / "servers"), _oscar(python) as vouchers:
            template = prepared(chosen.coupons)
            empty()
            _issued(template)  # once before, so that nothing is read for the first time while it counts
            times = [_run(template, chosen.coupons, vouchers) for _ in range(chosen.runs)]
    _tell(times, chosen.coupons)


def _run(template: Any, coupons: int, vouchers: Callable[[int], float]) -> tuple[float, float, float]:
    """Seconds of ours, of oscar, of bulk_create."""
    empty()
    ours = _issued(template)
    oscar = vouchers(coupons)
    empty()
    orm = seconds(_created(template))
    print(
        f"ours {coupons / ours:8,.0f} coupons a second; oscar {coupons / oscar:6,.0f}: {oscar / ours:.1f};"
        f" bulk_create {coupons / orm:8,.0f}: {orm / ours:.2f}",
        flush=True,
    )
    return ours, oscar, orm


def _issued(template: Any) -> float:
    from django.db import connection

    took = seconds(to_ids(template))
    with connection.cursor() as cursor:
        for table in ("coupons_issuedcoupon", "coupons_couponevent", "integrations_outboxrow"):
            cursor.execute(
                f"SELECT count(*) FROM {table}"
            )  # a row of each for every customer, whom no limit stops twice
            assert cursor.fetchone()[0] == template.stock, table
    return took


def _created(template: Any) -> Callable[[], None]:
    """The customers are known, as to ours; codes and rows are made while it counts."""
    from django.utils import timezone

    from coupons.choices import Source
    from coupons.codes import new_code
    from coupons.issuing import validity
    from coupons.models import IssuedCoupon
    from merchants.models import Customer

    everyone = Customer.objects.filter(merchant=template.merchant).order_by("pk").values_list("pk", flat=True)

    def work() -> None:
        version = template.versions.latest("number")
        now = timezone.now()
        valid_from, valid_until = validity(version.terms, now)
        IssuedCoupon.objects.bulk_create([
            IssuedCoupon(
                code=new_code(), merchant_id=template.merchant_id, template_id=template.pk, version_id=version.pk,
                customer_id=customer, valid_from=valid_from, valid_until=valid_until, source=Source.STAFF,
                issued_at=now, cost_fen=template.amount_fen,
            )
            for customer in everyone
        ])  # fmt: skip

    return work


def _filled(venv: Path) -> Path:
    """The Python of a venv that holds what the pins say."""
    python = venv / "bin" / "python"
    done = venv / "filled-with.txt"
    if not done.exists() or done.read_text() != _PINS.read_text():
        print(f"django-oscar comes into {venv}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", "--requirement", _PINS], check=True)
        done.write_text(_PINS.read_text())
    return python


@contextmanager
def _oscar(python: Path) -> Iterator[Callable[[int], float]]:
    """django-oscar, on a database of its own beside ours: makes so many vouchers and gives the seconds."""
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE oscar")
    ours = os.environ["DATABASE_URL"]
    environment = {
        **os.environ,
        "OSCAR_DATABASE_URL": f"{ours.rpartition('/')[0]}/oscar",
        "DJANGO_SETTINGS_MODULE": "tests.bench.oscar.settings",
    }
    process = subprocess.Popen(
        [python, "-m", "tests.bench.oscar.vouchers"], cwd=settings.BASE_DIR, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout

    def said() -> dict[str, Any]:
        assert process.stdout
        line = process.stdout.readline()
        assert line, "django-oscar has ended; its last words stand above."
        return json.loads(line)

    def make(count: int) -> float:
        assert process.stdin
        process.stdin.write(f"{count}\n")
        process.stdin.flush()
        return said()["seconds"]

    try:
        said()
        make(50)  # once before, as ours
        yield make
    finally:
        process.stdin.close()
        process.wait(30)


def _tell(times: list[tuple[float, float, float]], coupons: int) -> None:
    ours, oscar, orm = (median(one) for one in zip(*times, strict=True))
    work = f"issue {coupons:,} coupons"
    said = f"{coupons / ours:,.0f} coupons a second beside"
    tell(Figure(
        2, work, f"a voucher set of django-oscar with {coupons:,}", [slow / fast for fast, slow, _ in times],
        _REACH_OSCAR, said=f"{said} {coupons / oscar:,.0f} vouchers.",
    ))  # fmt: skip
    tell(Figure(
        2, work, "bulk_create of the coupon rows alone", [slow / fast for fast, _, slow in times],
        _REACH_ORM, said=f"{said} {coupons / orm:,.0f} rows.",
    ))  # fmt: skip


if __name__ == "__main__":
    main()
