"""One child of `make run`: its process group, its bounded log file, and the last lines it said."""

import os
import signal
import subprocess  # nosec B404 # our own commands, none of it from outside
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from config.embedded.processes import die_with_parent

LOG_BYTES = 5 * 1024 * 1024  # then the log begins anew; one old one is kept
LAST_BYTES = 8 * 1024
DEATHS, WITHIN_SECONDS = 5, 60.0
LONGEST_PAUSE_SECONDS = 10.0


@dataclass
class Deaths:
    """How often something died of late, and what follows from it."""

    times: deque[float] = field(default_factory=deque)

    def count(self, now: float) -> int:
        """Record a death at this time (seconds, any clock) and return how many there were within the last
        minute.
        """
        self.times.append(now)
        while now - self.times[0] > WITHIN_SECONDS:
            self.times.popleft()
        return len(self.times)

    @property
    def hopeless(self) -> bool:
        """Whether to give up."""
        return len(self.times) >= DEATHS

    @property
    def pause(self) -> float:
        """Seconds to wait before the next start: 0.5, 1, 2, 4 ..."""
        return min(LONGEST_PAUSE_SECONDS, 0.25 * 2 ** len(self.times))


class Child:
    """A part of the portal that is started, watched and started again."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self.deaths = Deaths()
        self.start_at = 0.0  # monotonic; when a dead one is started again
        self.process: subprocess.Popen[bytes] | None = None
        self._command, self._environment = command, environment
        self._last = b""
        self._rotate()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def output(self) -> BinaryIO | None:
        """What it says, to be waited for."""
        return None if self.process is None else self.process.stdout  # type: ignore[return-value]

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches us alone and its group can be ended."""
        parent = os.getpid()
        self.process = subprocess.Popen(  # nosec B603 # our own commands
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self._environment),
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent),
            bufsize=0,
        )
        assert self.process.stdout is not None  # nosec B101 # it was asked for
        os.set_blocking(self.process.stdout.fileno(), False)

    def drain(self) -> bool:
        """Move what it said into its log. False when it will say no more."""
        output = self.output
        while output is not None:
            try:
                piece = os.read(output.fileno(), 65536)
            except BlockingIOError:
                return True
            if not piece:
                break
            self._last = (self._last + piece)[-LAST_BYTES:]
            self._record(piece)
        return False

    def signal(self, number: signal.Signals) -> None:
        """Signal the process; SIGKILL goes to its whole group."""
        if self.process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            elif self.process.poll() is None:
                self.process.send_signal(number)

    def bury(self) -> None:
        """After its end: kill what is left of its group and close its output."""
        self.signal(signal.SIGKILL)
        self.drain()
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def last_lines(self, lines: int = 12) -> str:
        """The end of what it said, indented."""
        kept = self._last.decode(errors="replace").rstrip().splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in kept)

    def died(self) -> str:
        """Bury it, plan the next start, and say how it ended."""
        code = self.process.returncode if self.process else 0
        self.bury()
        now = time.monotonic()
        self.deaths.count(now)
        self.start_at = now + self.deaths.pause
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def _record(self, piece: bytes) -> None:
        """Write into the log; a full disk or a log that someone removed must not end the portal."""
        with suppress(OSError):
            self.log.parent.mkdir(parents=True, exist_ok=True)
            if self.log.exists() and self.log.stat().st_size + len(piece) > LOG_BYTES:
                self._rotate()
            with self.log.open("ab") as log:
                log.write(piece)

    def _rotate(self) -> None:
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
