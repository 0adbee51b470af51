"""Starting, recognising and ending operating-system processes.

A process is known by its number and its start time, because numbers are given out again. Linux's /proc
answers both; where there is none, the number alone has to do.
"""

import ctypes
import os
import signal
import subprocess  # nosec B404 # our own commands, none of it from outside
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_STARTED: list["subprocess.Popen[bytes]"] = []  # children of this process, to be reaped


class Identity(TypedDict, total=False):
    """Popen's arguments for running as another user; empty for oneself."""

    user: int
    group: int
    extra_groups: list[str | int]


@dataclass(frozen=True)
class Process:
    """One running program. `started` is in clock ticks since boot (0 where /proc is missing)."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> "Process":
        """The process that has this number now."""
        return cls(pid, _stat(pid)[1])

    def alive(self) -> bool:
        """Whether it still runs; one that has ended and was not collected does not count."""
        for child in _STARTED:
            child.poll()
        if PROC.is_dir():
            state, started = _stat(self.pid)
            return state not in ("", "Z", "X") and started == self.started
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def end(self, steps: Iterable[tuple[signal.Signals, float]]) -> bool:
        """Send each signal in turn and wait for at most its seconds. True once the process is gone."""
        for number, seconds in steps:
            if not self.alive():
                return True
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            if wait_until(lambda: not self.alive(), seconds=seconds):
                return True
        return not self.alive()


def _stat(pid: int) -> tuple[str, int]:
    """State letter and start time of a process; ("", 0) when there is none."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return "", 0
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.02) -> bool:
    """Ask again and again until it is true or the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def die_with_parent(number: signal.Signals, parent: int) -> None:
    """Called in a new child: have the kernel send it this signal when the parent's thread that made it ends.

    It must come after a change of user, which clears it.
    """
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # gone already, before we could ask
            os._exit(1)


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    identity: Identity,
    with_parent: signal.Signals | None,
) -> Process:
    """Start a server with its output in `log` (begun anew), in a session of its own.

    `identity` holds Popen's user, group and extra_groups; `with_parent` is the signal it gets when we die,
    None for a server that outlives us.
    """
    parent = os.getpid()
    prepare = None if with_parent is None else lambda: die_with_parent(with_parent, parent)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(  # nosec B603 # our own commands
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=dict(environment),
            start_new_session=True,
            preexec_fn=prepare,
            **identity,
        )
    _STARTED.append(child)
    return Process.of(child.pid)


def living_in(folder: Path, *, program: str) -> list[Process]:
    """The processes of this program whose working folder this is: what a crashed run left behind."""
    found = []
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "comm").read_text().strip() == program and (entry / "cwd").readlink() == folder:
                found.append(Process.of(int(entry.name)))
    return [process for process in found if process.alive()]
