"""urllib3 connections that keep to one deadline for a whole call and know how far the request got.

The timeouts of requests and urllib3 start anew at every read, so a server that sends a byte a second holds
a thread for ever. Here each step (name lookup, connect, TLS, send, headers, body) gets only the time that is
left of the call. The same object notes whether the request was handed over completely: until its last byte
is with the kernel dfire cannot have acted, since a cut form fails its Content-Length and its signature.
"""

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse

from .closed import judged

# Shorter than the shortest keep-alive in common use (5 s): a connection that idles longer is likely to be
# closed by the server in the very moment we write to it, which would leave a write uncertain for nothing.
MAX_IDLE_SECONDS = 4.0


@dataclass(slots=True)
class CallState:
    """One call on its way: `deadline` is on the monotonic clock."""

    deadline: float
    request_complete: bool = False
    certificate_refused: bool = False

    def remaining(self) -> float:
        """Return the seconds left; TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call's deadline has passed")
        return left


# A connection belongs to one thread while a call runs on it, so the context is the way to hand it its call.
CURRENT_CALL: ContextVar[CallState] = ContextVar("dfire_call")


class _DeadlineReader(io.RawIOBase):
    """A socket's bytes; each read waits no longer than the call has left."""

    def __init__(self, sock: socket.socket, call: CallState) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._call = call

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._call.remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _SocketView:
    """What http.client asks of a socket to read an answer from it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> IO[bytes]:
        return io.BufferedReader(_DeadlineReader(self._sock, CURRENT_CALL.get()))


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_SocketView(sock), *args, **kwargs)  # type: ignore[arg-type]


class BoundedHTTPConnection(HTTPConnection):
    """A plain connection that lives by the call's deadline."""

    response_class = _BoundedResponse
    _last_used = float("-inf")

    @property
    def is_connected(self) -> bool:
        """Say whether a pooled connection may be used again: not closed by the server, not idle too long."""
        return time.monotonic() - self._last_used < MAX_IDLE_SECONDS and super().is_connected

    def _new_conn(self) -> socket.socket:
        """Open the socket; urllib3's own would give every address the full time and the lookup no limit."""
        call = CURRENT_CALL.get()
        try:
            addresses = self.addresses(call.remaining())
            return _open_socket(addresses, call=call, options=self.socket_options or [])
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time: {error}") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error

    def addresses(self, timeout: float) -> list[Any]:
        """Where to connect to, as `getaddrinfo` says it, within `timeout` seconds; nothing else is connected to.

        Raises:
            OSError: the name has no address, or one that no call goes to.
        """
        return judged(lookup(self.host, self.port, timeout=timeout))

    def connect(self) -> None:
        """Connect, and note when it was the certificate that was refused: no retry mends that."""
        try:
            super().connect()
        except ssl.SSLCertVerificationError:
            CURRENT_CALL.get().certificate_refused = True
            raise

    def send(self, data: Any) -> None:
        """Send within the time left."""
        if self.sock is None:
            self.connect()
        self.sock.settimeout(CURRENT_CALL.get().remaining())
        super().send(data)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, and note that all of it went out."""
        self._last_used = time.monotonic()
        super().request(*args, **kwargs)
        CURRENT_CALL.get().request_complete = True

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """Return the answer. An interim one (1xx) in its place means that the real one is still to come: it
        would be read as the answer of the next call, so the connection is given up."""
        response = super().getresponse()
        if response.status < 200:
            raise http.client.BadStatusLine(f"interim answer {response.status}")
        return response


class BoundedHTTPSConnection(BoundedHTTPConnection, HTTPSConnection):
    """A TLS connection that lives by the call's deadline; OpenSSL's handshake keeps the socket's timeout."""


def lookup(host: str, port: int, *, timeout: float) -> list[Any]:
    """Resolve a name within `timeout` seconds; a lookup cannot be interrupted, only left behind."""
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    else:
        return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    found: list[Any] = []
    failed: list[OSError] = []

    def look() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)
        except UnicodeError as error:  # a label that IDNA refuses
            failed.append(socket.gaierror(socket.EAI_NONAME, str(error)))

    worker = threading.Thread(target=look, name="dfire-lookup", daemon=True)
    worker.start()
    worker.join(timeout)
    if worker.is_alive():
        raise TimeoutError("the name was not resolved in time")
    if failed:
        raise failed[0]
    return found


def _open_socket(addresses: list[Any], *, call: CallState, options: Any) -> socket.socket:
    """Connect to the first address that answers; each gets an equal share of the time left."""
    last_error = OSError("the name has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(call.remaining() / (len(addresses) - position))
            sock.connect(address)
            sock.settimeout(call.remaining())
        except OSError as error:
            sock.close()
            last_error = error
        else:
            return sock
    raise last_error
