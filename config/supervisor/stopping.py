"""Signals as facts that the loop can ask for: stop was wished, and it was wished with force."""

import select
import selectors
import signal
import socket
import sys
import time
from types import FrameType

SAME_WISH_SECONDS = 0.5  # make, the terminal and a process group may pass one Ctrl-C on more than once


class Stopping:
    """Counts the wishes to stop. The first asks children politely, a second Ctrl-C kills them."""

    def __init__(self) -> None:
        self.asked = False
        self.forced = False
        self._first = 0.0
        self._bell, self._ringer = socket.socketpair()
        for end in (self._bell, self._ringer):
            end.setblocking(False)
        self._terminal = select.poll()

    def listen(self, selector: selectors.BaseSelector) -> None:
        """Take over the signals, and wake the selector when one comes. `nohup` keeps its meaning."""
        selector.register(self._bell, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(self._ringer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._wish)
        signal.signal(signal.SIGTERM, self._wish)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._wish)
            # A closed terminal tells only the leader of its session: make, where no shell is in between.
            for stream in (sys.stdin, sys.stdout):
                if stream is not None and stream.isatty():
                    self._terminal.register(stream.fileno(), 0)  # a hang-up is told unasked

    def heard(self) -> None:
        """Empty the bell after it woke the selector."""
        try:
            self._bell.recv(4096)
        except BlockingIOError:
            return

    def wished(self) -> bool:
        """Whether anyone wants us to stop, or the terminal is gone."""
        if not self.asked and self._terminal.poll(0):
            self._wish(signal.SIGHUP, None)
        return self.asked

    def _wish(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.asked:
            self.asked, self._first = True, now
        elif number == signal.SIGINT and now - self._first > SAME_WISH_SECONDS:
            self.forced = True
