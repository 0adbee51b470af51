"""A door between the portal and PostgreSQL that a test can shut in two ways: nobody is there, or nobody answers."""

import contextlib
import socket
import threading
from enum import Enum


class Way(Enum):
    """What the door does."""

    OPEN = "bytes pass both ways"
    REFUSING = "connections are refused, and those that there are end"
    SILENT = "connections are accepted and kept, and nothing passes"


class Gate:
    """Passes TCP on to `host:port` from a port of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._ends: list[socket.socket] = []
        self._passes = threading.Event()
        self._way = Way.OPEN
        self._passes.set()
        self._door = self._listen(0)
        self.port: int = self._door.getsockname()[1]

    def turn(self, way: Way) -> None:
        """From now on do so, with the connections that there are too."""
        was, self._way = self._way, way
        if way is Way.OPEN:
            self._passes.set()
        if was is Way.REFUSING and way is not Way.REFUSING:
            self._door = self._listen(self.port)
        if way is Way.SILENT:
            self._passes.clear()
        if way is Way.REFUSING:
            self.close()

    def close(self) -> None:
        """Nobody is there any more."""
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()
        self._passes.set()

    def _listen(self, port: int) -> socket.socket:
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen(100)
        threading.Thread(target=self._accept, args=[door], daemon=True).start()
        return door

    def _accept(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = door.accept()
                called = socket.create_connection(self._to)
                self._ends += [caller, called]
                for one, other in ((caller, called), (called, caller)):
                    threading.Thread(target=self._pass, args=[one, other], daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(65_536):
                self._passes.wait()
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
