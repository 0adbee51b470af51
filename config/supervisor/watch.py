"""The loop of `make run`: takes in what the children say, starts again what died, and stops everything in the
end.
"""

import selectors
import signal
import time
from collections.abc import Callable

from config.embedded import EmbeddedError, state
from config.embedded.servers import Servers
from config.supervisor.children import DEATHS, Child, Deaths
from config.supervisor.stopping import Stopping
from config.tooling.terminal import Failed, say

POLITE_SECONDS = 6.0  # then children are killed
LOOK_SECONDS = 0.5


class Watch:
    """The children and the embedded servers of one `make run`."""

    def __init__(self, stopping: Stopping, servers: Servers, embedded: list[str]) -> None:
        """`embedded` names the servers to keep alive; empty when the user has others."""
        self.children: list[Child] = []
        self._stopping, self._servers, self._embedded = stopping, servers, embedded
        self._server_deaths = Deaths()
        self._selector = selectors.DefaultSelector()
        stopping.listen(self._selector)

    def add(self, child: Child) -> None:
        """Start a child and watch it from now on."""
        self.children.append(child)
        self._start(child)

    def until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Watch until the condition holds (True), the time is over or a stop is wished (False)."""
        end = time.monotonic() + seconds
        while not self._stopping.wished() and time.monotonic() < end:
            self._turn()
            if condition():
                return True
        return False

    def for_ever(self) -> None:
        """Watch until a stop is wished. Raises Failed when something dies again and again."""
        while not self._stopping.wished():
            self._turn()

    def stop(self) -> None:
        """Stop every child, then the embedded servers; at once when a second Ctrl-C demands it."""
        for child in self.children:
            child.signal(signal.SIGTERM)
        end = time.monotonic() + POLITE_SECONDS
        while any(child.alive for child in self.children):
            if self._stopping.forced or time.monotonic() > end:
                break
            self._listen(0.1)
        for child in self.children:
            if child.alive:
                child.signal(signal.SIGKILL)
                if child.process is not None:
                    child.process.wait()
            self._bury(child)
        if self._embedded:
            self._servers.stop(at_once=self._stopping.forced)

    def _turn(self) -> None:
        self._listen(LOOK_SECONDS)
        for child in self.children:
            if self._stopping.asked:
                return
            if child.process is not None and not child.alive:
                self._died(child)
            elif child.process is None and time.monotonic() >= child.start_at:
                self._start(child)
        self._look_after_servers()

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._stopping.heard()
            elif not key.data.drain():
                self._selector.unregister(key.fileobj)

    def _start(self, child: Child) -> None:
        child.start()
        assert child.output is not None  # nosec B101 # it was just started
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def _bury(self, child: Child) -> None:
        if child.output is not None and child.output in self._selector.get_map():
            self._selector.unregister(child.output)
        child.bury()

    def _died(self, child: Child) -> None:
        if child.output is not None and child.output in self._selector.get_map():
            self._selector.unregister(child.output)
        how = child.died()
        last = f"; it said last:\n{child.last_lines()}" if child.last_lines() else ""
        if child.deaths.hopeless:
            raise Failed(f"{child.name} {how}, for the {DEATHS}th time within a minute{last}\nAll of it: {child.log}")
        say(f"{child.name} {how}; starting it again in {child.deaths.pause:g} s{last}")

    def _look_after_servers(self) -> None:
        """Start an embedded server again that died; one that was stopped by hand stays stopped."""
        known = state.load(self._servers.place)
        dead = [name for name in self._embedded if name in known and not known[name].alive()]
        if not dead:
            return
        self._server_deaths.count(time.monotonic())
        if self._server_deaths.hopeless:
            raise Failed(f"{', '.join(dead)} died for the {DEATHS}th time within a minute; see var/log.")
        say(f"{', '.join(dead)} died; starting it again")
        try:
            self._servers.start(dead)
        except EmbeddedError as error:
            say(str(error))
