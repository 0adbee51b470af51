"""Runs all benchmarks, one after the other, and writes the table of docs/benchmarks.md: `make bench`.

Each stands on servers of its own and can be run alone (`python -m tests.bench.issuing --help`). `--short` runs each
once and small, to see that it works: its figures mean nothing and are not written down.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.results import RESULTS, Figure, read

_DOCUMENT = Path("docs/benchmarks.md")
_BEGIN, _END = "<!-- the table -->", "<!-- its end -->"
_PAGES = Path(tempfile.gettempdir()) / "coupon-bench-pages"
# By module: what it is told for the figures, and what for a quick look.
WORKS: dict[str, tuple[list[str], list[str]]] = {
    "issuing": (["--coupons", "1000000"], ["--coupons", "4000"]),
    "comparing": ([], ["--coupons", "200"]),
    "requests": ([], ["--requests", "80"]),
    "delivery": ([], ["--coupons", "400", "--most-workers", "1"]),
    "pages": (["--folder", str(_PAGES)], ["--folder", f"{_PAGES}-short", "--coupons", "60000"]),
    "importing": ([], ["--customers", "5000"]),
    "reconciling": ([], ["--customers", "300", "--coupons", "1000"]),
}


def main() -> int:
    """Run them, print and write the table; 1 where one of them could not be run."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("works", nargs="*", metavar="work", help="only these; all of them without a word")
    options.add_argument("--short", action="store_true", help="each once and small: does it work?")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        results = Path(folder) / "results"
        results.touch()
        failed = [work for work in chosen.works or WORKS if not _run(work, chosen.short, results)]
        figures = list(read(results))
    table = _table(figures)
    print(f"\n{table}")
    if failed:
        print(f"These could not be measured: {', '.join(failed)}.", file=sys.stderr)
        return 1
    if not chosen.short and not chosen.works:
        _write(f"{_set_up()}\n\n{table}")
        print(f"Written to {_DOCUMENT}.")
    return 0


def _run(work: str, short: bool, results: Path) -> bool:
    arguments = [*WORKS[work][1], "--runs", "1"] if short else WORKS[work][0]
    print(f"\n== {work} {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{work}", *arguments],
        env={**os.environ, RESULTS: str(results)},
        check=False,
    )
    return done.returncode == 0


def _table(figures: list[Figure]) -> str:
    lines = ["| # | work | floor | reach | median of the runs | met | measured |", "|---|---|---|---|---|---|---|"]
    for one in figures:
        bound = f"{'≤' if one.at_most else '≥'} {one.reach:g}"
        runs = f"**{one.ratio:.2f}**"
        if len(one.ratios) > 1:
            runs += f" ({', '.join(f'{ratio:.2f}' for ratio in sorted(one.ratios))})"
        verdict = "yes" if one.met else "**no**"
        lines.append(f"| {one.row} | {one.work} | {one.floor} | {bound} | {runs} | {verdict} | {one.said} |")
    return "\n".join(lines)


def _set_up() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB,"
        f" {platform.system()}, Python {platform.python_version()}; servers, portal and clients on this one machine,"
        " PostgreSQL with `fsync` off for both sides of each ratio."
    )


def _write(measured: str) -> None:
    before, begin, rest = _DOCUMENT.read_text().partition(_BEGIN)
    _old, end, after = rest.partition(_END)
    assert end, f"{_DOCUMENT} has no place for the table."
    _DOCUMENT.write_text(f"{before}{begin}\n\n{measured}\n\n{end}{after}")


if __name__ == "__main__":
    sys.exit(main())
