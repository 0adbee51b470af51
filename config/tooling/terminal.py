"""What the person at the terminal sees: calm lines, progress while something takes long, and the end of what
failed.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.embedded.processes import die_with_parent

HEARTBEAT_SECONDS = 20.0
_WIDTH = 110


class Failed(Exception):
    """A step did not work; the text says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended. `output` is everything it said."""

    code: int
    output: str


def say(text: str = "") -> None:
    """Print a line. A terminal that is gone is no reason to fail."""
    with suppress(OSError, ValueError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


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
    with subprocess.Popen(  # noqa: S603 - our own commands
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


def _collect(
    child: "subprocess.Popen[bytes]", log: Path, progress: "_Progress", cancelled: Callable[[], bool]
) -> str:
    assert child.stdout is not None  # noqa: S101 - it was asked for
    pieces: list[bytes] = []
    with log.open("ab") as record:
        while True:
            if cancelled():
                raise Failed("Stopped.")
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
        self._spoken = self._begun
        self._live = sys.stdout.isatty()
        self._write(f"{label} ..." if self._live else f"{label} ...\n")

    def at(self, output: str) -> None:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        if not lines:
            return
        now = time.monotonic()
        if self._live:
            self._write(f"\r\x1b[K{self._label} ... {lines[-1]}"[:_WIDTH])
        elif now - self._spoken > HEARTBEAT_SECONDS:
            self._spoken = now
            self._write(f"  {lines[-1]}\n"[:_WIDTH])

    def end(self, result: str) -> None:
        taken = f"{time.monotonic() - self._begun:.1f} s"
        clear = "\r\x1b[K" if self._live else ""
        self._write(f"{clear}{self._label}: {result} ({taken})\n")

    @staticmethod
    def _write(text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()
