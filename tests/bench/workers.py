"""The portal's own background processes as `make run` starts them, and what of the processor they use."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.embedded.places import CHECKOUT
from config.supervisor.environment import Addresses
from config.supervisor.parts import parts

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def portal(workers: int, folder: Path) -> Iterator[list[int]]:
    """So many worker processes and the scheduler, on the servers of this process; the workers' numbers.

    They log as in production, into files of the folder.
    """
    commands = parts(Addresses("127.0.0.1", 0, 0), sandbox=False)
    with ExitStack() as stack:
        started = [
            stack.enter_context(_process(commands["worker"], folder / f"worker-{n}.log")) for n in range(workers)
        ]
        stack.enter_context(_process(commands["scheduler"], folder / "scheduler.log"))
        yield [process.pid for process in started]


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "LOG_FORMAT": "json", "PROMETHEUS_MULTIPROC_DIR": str(log.parent / "metrics")}
    (log.parent / "metrics").mkdir(exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until_idle(pids: list[int]) -> None:
    """Wait until the workers have started and do nothing."""
    calm = 0
    while calm < 3:
        before = processor_seconds(pids)
        time.sleep(1)
        calm = calm + 1 if processor_seconds(pids) - before < 0.1 and before > 1 else 0


def processor_seconds(pids: list[int]) -> float:
    """What these processes have computed so far."""
    return sum(_ticks(pid) for pid in pids) / _TICKS


def memory_mb(pid: int) -> float:
    """What a process holds in memory now (RSS)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def database_seconds() -> float:
    """What the processes of the database's server have computed, those that have ended too."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid, pg_backend_pid() FROM pg_stat_activity")
        found = cursor.fetchall()
    server = int(_fields(found[0][1])[1])  # the parent of them all, to whom those that end are counted
    ended = sum(map(int, _fields(server)[13:15])) / _TICKS
    return ended + processor_seconds([pid for pid, _ in found])


def _ticks(pid: int) -> int:
    try:
        return sum(map(int, _fields(pid)[11:13]))
    except OSError:
        return 0


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
