"""The counts of every process of this machine, from the files in which prometheus_client keeps them.

Each process has files of its own, named for its number. What dead ones counted is folded into one file, so that a
worker that dies over and over does not make each scrape slower than the last.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from integrations import counters

MOST_DEAD = 10
_KINDS = ("counter", "histogram")
_NOBODY = 0  # the number in the name of the file into which is folded


class Counted:
    """Collects what lies in the folder, and the names of what nobody has counted yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Every metric of `integrations.counters`, summed over all processes."""
        with self._alone():
            self._fold()
            found = {metric.name: metric for metric in MultiProcessCollector.merge(map(str, self._files()))}
        for declared in _declared():
            yield found.get(declared.name, declared)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody reads while a file's counts lie in two places."""
        with (self._folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _files(self) -> list[Path]:
        """Those with something in them: a process may have made its file this very moment."""
        return sorted(file for kind in _KINDS for file in self._folder.glob(f"{kind}_*.db") if file.stat().st_size)

    def _fold(self) -> None:
        dead = [file for file in self._files() if not _lives(_number(file))]
        if len(dead) <= MOST_DEAD:
            return
        for kind in _KINDS:
            if of_kind := [file for file in dead if file.name.startswith(kind)]:
                self._fold_kind(kind, of_kind)

    def _fold_kind(self, kind: str, dead: list[Path]) -> None:
        folded, fresh = self._folder / f"{kind}_{_NOBODY}.db", self._folder / f"{kind}.new"
        sums: dict[str, float] = {}
        for file in [*dead, *([folded] if folded.exists() else [])]:
            for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):
                sums[key] = sums.get(key, 0.0) + value
        fresh.unlink(missing_ok=True)
        target = MmapedDict(str(fresh))
        for key, value in sums.items():
            target.write_value(key, value, 0.0)
        target.close()
        fresh.replace(folded)
        for file in dead:
            file.unlink()


def _declared() -> Iterable[Metric]:
    for metric in vars(counters).values():
        if isinstance(metric, MetricWrapperBase):
            yield from metric.describe()


def _number(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def _lives(number: int) -> bool:
    if number == _NOBODY:
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
