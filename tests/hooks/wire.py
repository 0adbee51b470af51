"""HTTP by hand, for what no client library would send."""

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    """A status and a body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


def exchange(where: str, *parts: bytes | float, half_close: bool = False) -> Reply:
    """Send the parts as they are, pausing for numbers of seconds, and read one answer."""
    host, port = where.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):  # the server may have answered and closed before all was sent
            for part in parts:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    time.sleep(part)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65_536):
                received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return Reply(int(head.split()[1]) if head else 0, body)


def head(path: str, *headers: str) -> bytes:
    """The beginning of a POST; the connection ends with the answer."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers, "", ""]).encode()


def chunks(body: bytes, size: int) -> bytes:
    """A chunked body."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
