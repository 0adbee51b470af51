"""What the person at the terminal sees: calm lines, progress while something takes long, and the end of what
failed.
"""

import os
import select
import signal
import subprocess  # nosec B404 # our own commands, none of it from outside
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.embedded.processes import die_with_parent

ANNOUNCE_SECONDS = 2.0  # where lines cannot be overwritten, short steps are named once, at their end
HEARTBEAT_SECONDS = 20.0
WIDTH = 110


class Failed(Exception):
    """A step did not work; the text says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended. `output` is everything it said."""

    code: int
    output: str


def say(text: str = "") -> None:
    """Print a line. A terminal that is gone is no reason to fail."""
    _write(text + "\n")


def tail(text: str, lines: int = 15) -> str:
    """The last lines, indented."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])


def step(
    label: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run a command with its output in `log`, showing what it is at. Raises Failed when `cancelled` becomes
    true.

    The command ends when we do.
    """
    parent = os.getpid()
    log.parent.mkdir(parents=True, exist_ok=True)
    progress = _Progress(label)
    with subprocess.Popen(  # nosec B603 # our own commands
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent),
        env={**(os.environ if environment is None else environment), "PYTHONUNBUFFERED": "1"},
    ) as child:
        try:
            output = _collect(child, log, progress, cancelled)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            raise
    progress.end("done" if child.returncode == 0 else "failed")
    return Outcome(child.returncode, output)


def _collect(child: "subprocess.Popen[bytes]", log: Path, progress: "_Progress", cancelled: Callable[[], bool]) -> str:
    assert child.stdout is not None  # nosec B101 # it was asked for
    pieces: list[bytes] = []
    with log.open("ab") as record:
        while True:
            if cancelled():
                raise Failed("Stopped.")
            progress.still()
            readable, _, _ = select.select([child.stdout], [], [], 0.2)
            if readable:
                piece = os.read(child.stdout.fileno(), 65536)
                if not piece:
                    return b"".join(pieces).decode(errors="replace")
                pieces.append(piece)
                record.write(piece)
                progress.at(piece.decode(errors="replace"))


class _Progress:
    """One line that follows what a step is at: overwritten on a terminal, a line now and then elsewhere."""

    def __init__(self, label: str) -> None:
        self._label, self._begun = label, time.monotonic()
        self._last, self._due = "", self._begun + ANNOUNCE_SECONDS
        self._live = sys.stdout.isatty()
        if self._live:
            _write(f"{label} ...")

    def at(self, output: str) -> None:
        """Take note of what the step just said."""
        self._last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), self._last)
        if self._live and self._last:
            _write(f"\r\x1b[K{self._label} ... {self._last}"[:WIDTH])

    def still(self) -> None:
        """Called again and again while it goes on."""
        now = time.monotonic()
        if not self._live and now > self._due:
            self._due = now + HEARTBEAT_SECONDS
            say(f"{self._label} ... {self._last}"[:WIDTH])

    def end(self, result: str) -> None:
        """Say how it went and how long it took."""
        clear = "\r\x1b[K" if self._live else ""
        say(f"{clear}{self._label}: {result} ({time.monotonic() - self._begun:.1f} s)")


def _write(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stdout.write(text)
        sys.stdout.flush()
